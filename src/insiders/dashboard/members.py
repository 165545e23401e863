"""The members: to search, to filter, to hand on by arm; and one customer's story."""

import streamlit as st

from insiders.answers.release import as_csv
from insiders.dashboard.view import View

COLUMNS = (
    "rank",
    "customer_id",
    "status",
    "arm",
    "segment",
    "net_revenue",
    "order_count",
    "recency_days",
    "expected_revenue",
    "since",
)
ARMS = ("invited", "held_out")


def show(view: View) -> None:
    st.title(view.say("Members"))
    rows = view.release.insiders
    if rows.empty:
        st.info(view.say("There are no members."))
        return
    words, segment = st.columns(2)
    sought = words.text_input(view.say("Search by customer or country"))
    chosen = segment.multiselect(
        view.say("Segment"), sorted(rows["segment"].unique()), format_func=view.language.segment
    )
    if sought:
        hit = [
            rows[name].fillna("").astype("str").str.contains(sought, case=False, regex=False)
            for name in ("customer_id", "country")
        ]
        rows = rows[hit[0] | hit[1]]
    if chosen:
        rows = rows[rows["segment"].isin(chosen)]
    st.dataframe(view.table(rows, COLUMNS), hide_index=True, width="stretch")
    _downloads(view)
    _story(view)


def _downloads(view: View) -> None:
    """One file per arm: whoever is held out is not written to."""
    names = {"invited": view.say("Download the invited"), "held_out": view.say("Download the held-out")}
    for place, arm in zip(st.columns(len(ARMS)), ARMS, strict=True):
        own = view.release.insiders[view.release.insiders["arm"] == arm]
        place.download_button(f"{names[arm]} ({len(own):,})", as_csv(own), f"insiders-{arm}.csv", "text/csv")


def _story(view: View) -> None:
    st.header(view.say("One customer"))
    ids = view.release.customers["customer_id"]
    asked = st.text_input(view.say("Customer id"), placeholder=view.release.insiders["customer_id"].iloc[0])
    if not asked:
        return
    if asked not in set(ids):
        st.warning(view.say("There is no customer {customer}.").format(customer=asked))
        return
    with st.spinner(view.say("Looking them up")):
        st.text(view.release.story(asked))
    if not view.has_models:
        st.write(view.say("A store keeps the changes alone: why somebody stayed is not told."))
