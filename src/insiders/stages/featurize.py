"""Orders and lines to customers: as of now, as of the search's cut-offs, what followed the last, and month by month."""

from insiders.errors import exit_on_input_error


@exit_on_input_error("featurize")
def main() -> None:
    from insiders import schemas
    from insiders.io import engine, params, paths, tables
    from insiders.io.tracking import runs
    from insiders.tables import features

    settings = params.read().featurize
    horizon = settings.horizon_days
    with runs.stage_run("featurize", settings.model_dump()) as log:
        con = engine.connect()
        lines, orders = engine.scan(con, paths.LINES), engine.scan(con, paths.ORDERS)
        first, last = engine.fetch_row(con, features.span(lines))
        as_of = features.look_from(settings.as_of, first, last, horizon)
        cutoffs = features.cutoffs(
            first, as_of, horizon, settings.folds, settings.fold_step_days, settings.history_days_min
        )
        months = features.month_starts(first, as_of, settings.history_days_min, settings.history_months)
        days = sorted({*cutoffs.days, *months, as_of})
        known = features.customers(orders, lines, days, first, horizon, settings.fade_days)
        everyone = engine.fetch(con, features.with_next(known, orders, days, horizon))
        customers, snapshots, holdout = features.split(everyone, cutoffs, as_of, horizon)
        tables.write_together(
            {
                paths.CUSTOMERS: (customers, schemas.CUSTOMERS),
                paths.SNAPSHOTS: (snapshots, schemas.SNAPSHOTS),
                paths.HOLDOUT: (holdout, schemas.HOLDOUT),
                paths.HISTORY: (features.monthly(everyone, months), schemas.HISTORY),
            }
        )
        log({"customers": len(customers), "cutoffs": len(cutoffs.days)})


if __name__ == "__main__":
    main()
