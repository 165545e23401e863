"""What marketing can do, from the tables: actions and their audiences, and products to recommend."""

from typing import Any, NamedTuple

import pandas as pd
from threadpoolctl import threadpool_limits

from insiders import affinity, schemas
from insiders.explore import products
from insiders.io import engine, params, paths, tables
from insiders.language import Language
from insiders.programme import actions
from insiders.programme.rules import Rule
from insiders.report import audiences, page

Numbers = dict[str, Any]
SIDES = {"insiders": True, "others": False, "any": None}


class Marketing(NamedTuple):
    """The numbers of the page; who is meant by what, and what to recommend, as a spreadsheet may show them."""

    numbers: Numbers
    audiences: pd.DataFrame
    recommendations: pd.DataFrame


def read(settings: params.Params, members: pd.DataFrame, enter: Rule, language: Language) -> Marketing:
    """`members` are today's customers with segment, is_insider and expected_revenue, `enter` the rule to become one."""
    inputs = actions.Inputs(members, _past(), tables.read(paths.EXPECTATIONS), enter)
    asked = terms(settings.report, settings.featurize.horizon_days)
    told, shown = _recommended(settings, members)
    meant = audiences.worded(actions.audiences(inputs, asked), language, page.labels(language))
    return Marketing(
        {**actions.numbers(inputs, asked), "recommendations": told}, *map(tables.spreadsheet_safe, (meant, shown))
    )


def write(told: Marketing) -> None:
    contents = {
        paths.AUDIENCES: (told.audiences, schemas.AUDIENCES),
        paths.RECOMMENDATIONS: (told.recommendations, schemas.RECOMMENDATIONS),
    }
    tables.write_together(contents)


def _past() -> pd.DataFrame:
    """Customers at the past month starts, with the side on which today's model puts them."""
    keys = ["customer_id", "as_of"]
    memberships = tables.read(paths.MEMBERSHIPS)[[*keys, "is_insider"]]
    return tables.read(paths.HISTORY).merge(memberships, on=keys, validate="one_to_one")


def terms(own: params.Report, horizon_days: int) -> actions.Terms:
    chosen = [_action(each) for each in own.actions]
    return actions.Terms(chosen, own.margin_share, own.late_probability_max, own.shortfall_max, horizon_days)


def _action(each: params.Action) -> actions.Action:
    return actions.Action(
        kind=each.kind,
        for_insiders=SIDES[each.segments],
        conditions=tuple(
            actions.Condition(on.column, on.bound == "at_least", on.times, on.floor) for on in each.conditions
        ),
        cost=actions.Cost(**each.cost.model_dump()),
        uplift=actions.Uplift(*each.uplift),
    )


def _recommended(settings: params.Params, members: pd.DataFrame) -> tuple[Numbers, pd.DataFrame]:
    own, as_of = settings.report, members["as_of"].iloc[0].date()
    periods = affinity.Periods.before(as_of, settings.featurize.horizon_days)
    con = engine.connect()
    bought = engine.fetch(con, affinity.purchases(engine.scan(con, paths.LINES), as_of))
    with threadpool_limits(1):
        found = affinity.recommend(bought, periods, own.on_sale_days, settings.seed)
    shown = _named(con, found.shown)
    told = {**found.evidence, "ratio_min": own.recommendation_ratio_min, "on_sale_days": own.on_sale_days}
    return {**told, "examples": audiences.examples(shown, members)}, shown


def _named(con: Any, shown: pd.DataFrame) -> pd.DataFrame:
    """Products by the text that the shop uses most."""
    codes = sorted({*shown["product_code"], *shown["because"].dropna()})
    texts = engine.fetch(con, products.texts(engine.scan(con, paths.TRANSACTIONS), codes))
    names = products.named(pd.DataFrame({"product_code": codes}, dtype="str"), texts)
    text = names.set_index("product_code")["description"]
    told = {"description": shown["product_code"].map(text), "because": shown["because"].map(text)}
    return shown.assign(**told)[list(schemas.RECOMMENDATIONS.columns)]
