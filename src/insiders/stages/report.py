"""Assignments and orders to the nine answers: a page, the answers as JSON, and the figures that other programs read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from insiders.errors import reported

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from insiders.io.params import Params
    from insiders.report.inputs import Findings, Tables, Terms
    from insiders.report.page import Drawing


@reported
def main() -> None:
    from insiders.io import params, paths, tables, tracking
    from insiders.report import answers, metrics, page

    settings = params.read()
    terms = _terms(settings)
    with tracking.stage_run("report", settings.report.model_dump()) as log:
        found = _read()
        nine = answers.build(found, _findings(found, settings), terms)
        figures = metrics.build(nine)
        pictures = _pictures(found, nine, terms)
        tables.write_json(nine, paths.ANSWERS)
        tables.write_json(figures, paths.METRICS)
        tables.write_text(page.render(nine, figures, pictures, terms.language), paths.PAGE)
        log(metrics.flat(figures))


def _terms(settings: "Params") -> "Terms":
    from insiders.language import Language
    from insiders.report.inputs import Terms

    return Terms(
        language=Language(settings.report.language, settings.preprocess.currency),
        seed=settings.seed,
        horizon_days=settings.featurize.horizon_days,
        share_min=settings.tune.insider_share_min,
        share_max=settings.tune.insider_share_max,
        lift_margin=settings.register_.value_lift_margin,
    )


def _read() -> "Tables":
    import pandas as pd

    from insiders.io import engine, paths, tables
    from insiders.report import months
    from insiders.report.inputs import Tables

    for path in (paths.LEDGER, paths.INSIDERS, paths.TRIALS):
        tables.require(path)
    customers, assignments = tables.read(paths.CUSTOMERS), tables.read(paths.ASSIGNMENTS)
    placed = assignments.drop(columns="as_of").merge(tables.read(paths.CONFIDENCE), on="customer_id", how="left")
    as_of = customers["as_of"].iloc[0].date()
    con = engine.connect()
    sums = months.by_month(engine.read(con, paths.ORDERS), engine.read(con, paths.ASSIGNMENTS), as_of)
    return Tables(
        members=customers.merge(placed, on="customer_id", validate="one_to_one"),
        insiders=pd.read_csv(paths.INSIDERS, dtype={"customer_id": str}),
        months=months.side_by_side(engine.fetch(con, sums), as_of),
        products=_products(con, as_of, assignments["segment"].value_counts()),
        ledger=pd.read_csv(paths.LEDGER, dtype={"amount": str}),
        trials=pd.read_csv(paths.TRIALS),
        registered=tables.read_json(paths.REGISTERED),
        source=tables.read_json(paths.SOURCE),
    )


def _products(con: Any, as_of: "date", sizes: "pd.Series[int]") -> "pd.DataFrame":
    """What each segment typically buys, by the text that the shop uses most."""
    from insiders.io import engine, paths
    from insiders.report import products

    lines, assignments = engine.read(con, paths.LINES), engine.read(con, paths.ASSIGNMENTS)
    found = products.typical(engine.fetch(con, products.buyers(lines, assignments, as_of)), sizes)
    transactions = engine.read(con, paths.TRANSACTIONS)
    return products.named(found, engine.fetch(con, products.texts(transactions, sorted(set(found["product_code"])))))


def _findings(found: "Tables", settings: "Params") -> "Findings":
    from insiders import actions, forecast, membership
    from insiders.report import inputs, profiles

    members, inside = found.members, found.members["is_insider"]
    fit = membership.learn(members, inside)
    return inputs.Findings(
        enter=membership.enter(fit, members, inside),
        leave=membership.leave(fit, members, inside, settings.report.leave_slack),
        forecast=forecast.outlook(found.insiders, found.registered["backtest"], settings.featurize.horizon_days),
        actions=actions.suggest(profiles.segments(members), profiles.overall(members)),
    )


def _pictures(found: "Tables", nine: Mapping[str, Any], terms: "Terms") -> "dict[str, Drawing]":
    from insiders.figures import page as figures
    from insiders.figures import style
    from insiders.report import page

    scene = style.Scene(found.members, found.trials, nine, page.labels(terms.language), terms.language)
    drawn = figures.pictures(scene)
    return {name: page.Drawing(style.svg(*each), each.title) for name, each in drawn.items()}


if __name__ == "__main__":
    main()
