"""What if: another size, other costs, or conditions instead of the score."""

from collections.abc import Sequence

import altair
import pandas as pd
import streamlit as st

from insiders.answers import what_if
from insiders.answers.what_if import CONDITIONS, List, Place
from insiders.dashboard.view import NONE, View

POINTS_MAX = 400  # of the curve
COLUMNS = ("customer_id", "segment", "net_revenue", "order_count", "recency_days", "expected_revenue")


def show(view: View) -> None:
    st.title(view.say("What if"))
    st.markdown(view.say("Nothing here changes the programme: its size stands in params.yaml (programme.size)."))
    own, people = view.release.place, view.release.customers
    margin, uplift, cost = st.columns(3)
    place = Place(
        cost.number_input(view.say("Cost of a place"), min_value=0.0, value=float(own.cost or 0.0)),
        margin.number_input(view.say("Margin, share"), 0.0, 1.0, float(own.margin_share)),
        uplift.number_input(view.say("Assumed uplift, share"), 0.0, 1.0, float(own.uplift)),
    )
    ways = {"size": view.say("The highest scores"), "conditions": view.say("Conditions of my own")}
    way = st.radio(view.say("Who is in"), list(ways), format_func=ways.__getitem__, horizontal=True)
    if way == "size":
        size = st.slider(view.say("Members"), 1, len(people), min(max(1, len(view.release.insiders)), len(people)))
        found = what_if.of_size(people, int(size), place)
        st.write(
            view.say(
                "As if all places were given anew, by score alone. Members keep theirs within a looser border and some "
                "months of grace: so some would leave, and as many would join, at today's size too."
            )
        )
    else:
        found = what_if.by_conditions(people, _thresholds(view), place)
    _tell(view, found)
    if way == "size":
        _curve(view, what_if.profits(people, place).tolist())


def _thresholds(view: View) -> dict[str, float]:
    """Start where today's members are: at their median."""
    members = view.release.customers[view.release.customers["is_insider"]]
    signs = {"least": "≥", "most": "≤"}
    asked = {}
    for place, (column, bound) in zip(st.columns(len(CONDITIONS)), CONDITIONS.items(), strict=True):
        start = float(members[column].median()) if len(members) else 0.0
        asked[column] = place.number_input(
            f"{view.labels[column]} {signs[bound]}", min_value=0.0, value=round(start, 2)
        )
    return asked


def _tell(view: View, found: List) -> None:
    count, share, expected, profit = st.columns(4)
    count.metric(view.say("Members"), view.language.count(found.customers))
    share.metric(view.say("Share of the customers"), view.language.share(found.customer_share))
    expected.metric(
        view.say("Expected revenue"),
        view.language.rounded(found.expected_revenue),
        view.language.share(found.expected_share, 0),
        delta_color="off",
    )
    profit.metric(
        view.say("Profit over the horizon"), NONE if found.profit is None else view.language.rounded(found.profit)
    )
    titles = (view.say("Would join"), view.say("Would leave"))
    for place, title, rows in zip(st.columns(2), titles, (found.joining, found.leaving), strict=True):
        place.header(f"{title} ({len(rows):,})")
        place.dataframe(view.table(rows, COLUMNS), hide_index=True, width="stretch")


def _curve(view: View, profits: Sequence[float]) -> None:
    st.header(view.say("Profit by size"))
    step = max(1, len(profits) // POINTS_MAX)
    members, profit = view.say("Members"), view.say("Profit over the horizon")
    curve = pd.DataFrame({"members": range(1, len(profits) + 1, step), "profit": profits[::step]})
    axes = {"x": altair.X("members", title=members), "y": altair.Y("profit", title=profit)}
    st.altair_chart(altair.Chart(curve).mark_line().encode(**axes), width="stretch")
