"""Assignments and orders to the nine answers: a page, the answers as JSON, and the figures that other programs read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from insiders.errors import exit_on_input_error

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from insiders.io.params import Params
    from insiders.report.figures.style import Picture
    from insiders.report.inputs import Findings, Tables, Terms
    from insiders.report.page import Drawing


@exit_on_input_error("report")
def main() -> None:
    from insiders import schemas
    from insiders.answers import actions, guarantee
    from insiders.io import params, paths, tables
    from insiders.io.tracking import runs
    from insiders.programme import rules
    from insiders.report import answers, metrics, page

    settings = params.read()
    terms = _terms(settings)
    with runs.stage_run("report", settings.report.model_dump()) as log:
        found = _read()
        proof = guarantee.read(settings)
        findings = _findings(found, settings, proof.numbers)
        offers = actions.read(settings, found.members, rules.from_plain(findings.enter["ways"]), terms.language)
        nine = answers.build(found, findings._replace(actions=offers.numbers), terms)
        figures = metrics.build(nine)
        shown = page.render(nine, figures, _pictures(found, nine, terms), terms.language)
        explored, exploration = _explored(found, nine, terms)
        tables.write_json(nine, paths.ANSWERS)
        tables.write_json(figures, paths.METRICS)
        tables.write(proof.arms, paths.EXPERIMENT, schemas.EXPERIMENT)
        actions.write(offers)
        tables.write_text(shown, paths.PAGE)
        tables.write_json(explored, paths.EXPLORATION_NUMBERS)
        tables.write_text(exploration, paths.EXPLORATION_PAGE)
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

    from insiders.answers import customer
    from insiders.explore import months, rhythm
    from insiders.io import engine, paths, tables
    from insiders.report.inputs import Tables

    for path in (paths.LEDGER, paths.INSIDERS, paths.TRIALS):
        tables.require(path)
    present = customer.present()
    as_of = present["as_of"].iloc[0].date()
    con = engine.connect()
    orders, sides = engine.scan(con, paths.ORDERS), engine.scan(con, paths.ASSIGNMENTS)
    sums = months.by_month(orders, sides, as_of)
    typical, own = _products(con, as_of, present)
    expected = tables.read(paths.EXPECTATIONS)[["customer_id", "expected_revenue"]]
    return Tables(
        members=present.merge(expected, on="customer_id", how="left", validate="one_to_one"),
        insiders=pd.read_csv(paths.INSIDERS, dtype={"customer_id": str}),
        months=months.side_by_side(engine.fetch(con, sums), as_of),
        products=typical,
        own_products=own,
        rhythm=engine.fetch(con, rhythm.by_hour(orders, sides, as_of)),
        ledger=pd.read_csv(paths.LEDGER, dtype={"amount": str}),
        trials=pd.read_csv(paths.TRIALS),
        registered=tables.read_json(paths.REGISTERED),
        source=tables.read_json(paths.SOURCE),
    )


def _products(con: Any, as_of: "date", members: "pd.DataFrame") -> "tuple[pd.DataFrame, pd.DataFrame]":
    """What each segment, and what the Insiders typically buy, by the text that the shop uses most."""
    from insiders.explore import products
    from insiders.io import engine, paths

    lines, placed = engine.scan(con, paths.LINES), engine.scan(con, paths.ASSIGNMENTS)
    by_segment = engine.fetch(con, products.buyers(lines, placed, as_of))
    by_side = engine.fetch(con, products.buyers(lines, products.by_side(placed), as_of))
    inside, outside = products.SIDES
    found = products.typical(by_segment, members["segment"].value_counts())
    sides = members["is_insider"].map({True: inside, False: outside}).value_counts()
    own = products.typical(by_side, sides, products.OF_INSIDERS)
    codes = sorted({*found["product_code"], *own["product_code"]})
    texts = engine.fetch(con, products.texts(engine.scan(con, paths.TRANSACTIONS), codes))
    return products.named(found, texts), products.named(own[own["segment"] == inside], texts)


def _findings(found: "Tables", settings: "Params", proof: Mapping[str, Any]) -> "Findings":
    from insiders.answers import customer, expected_revenue
    from insiders.answers import past as answers_past
    from insiders.explore import profiles
    from insiders.programme import criteria, enter, leave
    from insiders.programme.criteria import Timeline
    from insiders.report import inputs

    members, rules = found.members, customer.terms(settings.report)
    timeline = Timeline(members, customer.past())
    learned = criteria.learn(timeline, rules)
    segments = profiles.segments(members)
    past = answers_past.past(members, [row["segment"] for row in segments], settings.report.quiet_months)
    return inputs.Findings(
        enter=enter.numbers(learned, timeline),
        leave=leave.numbers(learned, timeline, rules),
        forecast=expected_revenue.outlook(members, found.insiders, settings.featurize.horizon_days),
        guarantee=dict(proof),
        actions={},
        past=past,
        insights=answers_past.standing_out(members, past, found.registered),
    )


def _explored(found: "Tables", nine: Mapping[str, Any], terms: "Terms") -> tuple[dict[str, Any], str]:
    """The second page, how the data led to the list: its numbers and itself."""
    from insiders.answers import exploration as answers_exploration
    from insiders.report import exploration, page
    from insiders.report.figures import exploration as figures

    looked = answers_exploration.look(found.members, found.trials, found.registered)
    numbers = exploration.build(looked.numbers, nine)
    drawn = figures.pictures(figures.Sight(numbers, looked.spots, page.labels(terms.language), terms.language))
    return numbers, exploration.render(numbers, nine, _svg(drawn), terms.language)


def _pictures(found: "Tables", nine: Mapping[str, Any], terms: "Terms") -> "dict[str, Drawing]":
    from insiders.report import page
    from insiders.report.figures import page as figures
    from insiders.report.figures import style

    scene = style.Scene(found.members, found.trials, nine, page.labels(terms.language), terms.language)
    return _svg(figures.pictures(scene))


def _svg(drawn: "Mapping[str, Picture]") -> "dict[str, Drawing]":
    from insiders.report import page
    from insiders.report.figures import style

    return {name: page.Drawing(style.svg(*each), each.title) for name, each in drawn.items()}


if __name__ == "__main__":
    main()
