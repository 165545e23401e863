"""The segments: who is in them, where they lie, what they buy, and who moved from one to another."""

import pandas as pd
import streamlit as st

from insiders.dashboard.view import View

PROFILE = (
    "customers",
    "customer_share",
    "net_revenue_share",
    "net_revenue",
    "order_count",
    "recency_days",
    "tenure_days",
)
SHARES = ("customer_share", "net_revenue_share")
POINTS_MAX = 2000  # of the map: more would only cover one another


def show(view: View) -> None:
    st.title(view.say("Segments"))
    rows = pd.DataFrame(view.release.answers["traits"]["segments"])
    if rows.empty:
        st.info(view.say("There are no segments: no model serves."))
        return
    shares = {name: (rows[name] * 100).round(1) for name in SHARES}
    st.dataframe(view.table(rows.assign(**shares), ["segment", *PROFILE]), hide_index=True, width="stretch")
    st.markdown(view.say("Medians of the customers; shares in per cent."))
    if view.release.coordinates.empty:  # of a model that sees customers along one line
        _products(view, rows)
    else:
        left, right = st.columns(2)
        with left:
            _map(view)
        with right:
            _products(view, rows)
    _movement(view)


def _map(view: View) -> None:
    """The first two coordinates in which the model sees the customers."""
    places = view.release.coordinates
    st.header(view.say("Map"))
    known = view.release.customers[["customer_id", "segment"]].merge(places, on="customer_id")
    some = known.sample(min(POINTS_MAX, len(known)), random_state=0)
    named = some.assign(segment=some["segment"].map(view.language.segment))
    st.scatter_chart(named[["x", "y", "segment"]], x="x", y="y", color="segment")
    st.markdown(view.say("Each point is a customer as the model sees them; the axes have no unit."))


def _products(view: View, rows: pd.DataFrame) -> None:
    st.header(view.say("What they buy"))
    name = st.selectbox(view.say("Segment"), rows["segment"].tolist(), format_func=view.language.segment)
    products = pd.DataFrame(rows.set_index("segment")["products"][name])
    if products.empty:
        st.info(view.say("No product is typical of them."))
        return
    st.dataframe(
        view.table(products, ["description", "product_code", "buyers", "lift"]), hide_index=True, width="stretch"
    )


def _movement(view: View) -> None:
    """From the last month start to today."""
    last = view.release.before
    if last.empty:
        return
    st.header(view.say("Movement"))
    both = last.merge(
        view.release.customers[["customer_id", "segment"]], on="customer_id", suffixes=("_before", "_now")
    )
    named = {side: both[f"segment_{side}"].map(view.language.segment) for side in ("before", "now")}
    crossed = (
        pd.crosstab(named["before"], named["now"]).rename_axis(columns=None).rename_axis(index=view.say("Segment"))
    )
    st.dataframe(crossed.reset_index(), hide_index=True, width="stretch")
    day = view.language.day(view.release.before_on)
    st.markdown(view.say("Rows: the segment on {day}; columns: today.").format(day=day))
