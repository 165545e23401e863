"""Orders and lines to customers: as of now, as of the search's cut-offs, what followed the last, and month by month."""

from typing import TYPE_CHECKING

from insiders.errors import exit_on_input_error
from insiders.io import workspace

if TYPE_CHECKING:
    from datetime import date

    from ibis import Table

    from insiders.io.engine import Backend
    from insiders.io.params import Featurize
    from insiders.tables.cutoffs import Cutoffs, Periods

ORDER = ["as_of", "customer_id"]


@exit_on_input_error("featurize")
@workspace.alone("featurize")
def main() -> None:
    from insiders.io import engine, params, paths
    from insiders.io.tracking import datasets, runs
    from insiders.tables import cutoffs, features

    settings = params.read().featurize
    with runs.posted_run("featurize", settings.model_dump()) as log, engine.session() as con:
        lines, orders = engine.scan(con, paths.LINES), engine.scan(con, paths.ORDERS)
        first, last = engine.fetch_row(con, cutoffs.span(lines))
        trading = engine.fetch(con, cutoffs.trading_days(lines))["day"].tolist()
        as_of, cuts, months = _days(settings, (first, last), trading)
        days = sorted({*cuts.days, *months, as_of})
        windows = features.Windows(first, settings.horizon_days, settings.fade_days)
        customers = features.customers(orders, lines, days, windows)
        everyone = engine.materialize(con, features.with_next_revenue(customers, orders, days, settings.horizon_days))
        periods = cutoffs.split(everyone, cuts, as_of, settings.horizon_days)
        _write(con, periods, cutoffs.past(everyone, months))
        (count,) = engine.fetch_row(con, periods.customers.aggregate(customers=periods.customers.count()))
        counts = {"customers": count, "cutoffs": len(cuts.days)}
        log(counts, datasets.of_tables(paths.LINES, paths.ORDERS))


def _days(
    settings: "Featurize", span: "tuple[date, date]", trading: "list[date]"
) -> "tuple[date, Cutoffs, list[date]]":
    """The day as of which customers are described, the search's cut-offs, and the month starts of the past."""
    from insiders.tables import cutoffs

    (first, last), history = span, settings.history_days_min
    as_of = cutoffs.resolve_as_of(settings.as_of, first, last, settings.horizon_days)
    plan = cutoffs.CutoffPlan(settings.horizon_days, history, settings.folds, settings.fold_step_days)
    return (
        as_of,
        cutoffs.cutoffs(trading, as_of, plan),
        cutoffs.month_starts(first, as_of, history, settings.history_months),
    )


def _write(con: "Backend", periods: "Periods", history: "Table") -> None:
    from insiders import schemas
    from insiders.io import engine, paths, tables

    tables.write_parts_together(
        {
            paths.CUSTOMERS: (engine.frames(con, periods.customers, ORDER), schemas.CUSTOMERS),
            paths.SNAPSHOTS: (engine.frames(con, periods.snapshots, ORDER), schemas.SNAPSHOTS),
            paths.HOLDOUT: (engine.frames(con, periods.holdout, ORDER), schemas.HOLDOUT),
            paths.HISTORY: (engine.frames(con, history, ORDER), schemas.HISTORY),
        }
    )


if __name__ == "__main__":
    main()
    workspace.end()
