"""The experiment: its plan, and what it says so far."""

import streamlit as st

from insiders.answers import readout
from insiders.dashboard.view import NONE, View


def show(view: View) -> None:
    st.title(view.say("Experiment"))
    after = view.release.answers["guarantee"]
    reading, plan = after["readout"], after["experiment"]
    if reading is None:
        st.info(view.say("No decision is recorded yet: `insiders enrol` records one, and the experiment begins."))
    else:
        question, verdict, *lines = readout.lines(view.language, reading)
        st.header(question)
        st.markdown(f"**{verdict}**")
        for line in lines:
            st.markdown(f"- {line}")
    st.header(view.say("The plan"))
    arms = st.columns(3)
    arms[0].metric(view.say("Invited"), view.language.count(plan["invited"]))
    arms[1].metric(view.say("Held out"), view.language.count(plan["control"]))
    found = NONE if plan["uplift"] is None else view.language.share(plan["uplift"], 0)
    arms[2].metric(view.say("Uplift that {months} months can find").format(months=plan["months"]), found)
