"""Orders and lines to customers: as of now, as of the search's cut-offs, what followed the last, and month by month."""

from typing import TYPE_CHECKING

from insiders.errors import exit_on_input_error

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from insiders.io.params import Featurize
    from insiders.tables.features import Cutoffs


@exit_on_input_error("featurize")
def main() -> None:
    from insiders.io import engine, params, paths
    from insiders.io.tracking import runs
    from insiders.tables import features

    settings = params.read().featurize
    with runs.stage_run("featurize", settings.model_dump()) as log:
        con = engine.connect()
        lines, orders = engine.scan(con, paths.LINES), engine.scan(con, paths.ORDERS)
        first, last = engine.fetch_row(con, features.span(lines))
        as_of, cutoffs, months = _days(settings, first, last)
        days = sorted({*cutoffs.days, *months, as_of})
        customers = features.customers(orders, lines, days, first, settings.horizon_days, settings.fade_days)
        everyone = engine.fetch(con, features.with_next(customers, orders, days, settings.horizon_days))
        split = features.split(everyone, cutoffs, as_of, settings.horizon_days)
        _write(*split, features.monthly(everyone, months))
        log({"customers": len(split[0]), "cutoffs": len(cutoffs.days)})


def _days(settings: "Featurize", first: "date", last: "date") -> "tuple[date, Cutoffs, list[date]]":
    """The day from which we look, the search's cut-offs, and the month starts of the past."""
    from insiders.tables import features

    horizon, history = settings.horizon_days, settings.history_days_min
    as_of = features.look_from(settings.as_of, first, last, horizon)
    cutoffs = features.cutoffs(first, as_of, horizon, settings.folds, settings.fold_step_days, history)
    return as_of, cutoffs, features.month_starts(first, as_of, history, settings.history_months)


def _write(
    customers: "pd.DataFrame", snapshots: "pd.DataFrame", holdout: "pd.DataFrame", history: "pd.DataFrame"
) -> None:
    from insiders import schemas
    from insiders.io import paths, tables

    tables.write_together(
        {
            paths.CUSTOMERS: (customers, schemas.CUSTOMERS),
            paths.SNAPSHOTS: (snapshots, schemas.SNAPSHOTS),
            paths.HOLDOUT: (holdout, schemas.HOLDOUT),
            paths.HISTORY: (history, schemas.HISTORY),
        }
    )


if __name__ == "__main__":
    main()
