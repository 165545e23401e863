"""Data quality: what was understood of the delivery, and what each rule of cleaning took away."""

import streamlit as st

from insiders.dashboard.view import View


def show(view: View) -> None:
    st.title(view.say("Data quality"))
    st.header(view.say("What each rule took"))
    ledger = view.release.ledger
    st.dataframe(
        view.table(ledger.assign(amount=ledger["amount"].astype(float)), ledger.columns),
        hide_index=True,
        width="stretch",
    )
    st.header(view.say("What was understood"))
    if view.release.intake is None:
        st.info(view.say("It is not published, since it may name customers (publish.pseudonymise)."))
        return
    st.markdown(view.release.intake)
