"""The models: which serves, what each was judged by; to promote one, or to go back, with a confirmation."""

from functools import partial

import pandas as pd
import streamlit as st

from insiders.answers import versions
from insiders.dashboard.view import View


def show(view: View) -> None:
    st.title(view.say("Models"))
    if not view.has_models:
        st.info(view.say("A store holds no models: to see or change what serves, open the dashboard in the project."))
        _gates(view)
        return
    st.markdown(
        view.say("All runs and versions: `insiders ui`, then {address}").format(address=versions.mlflow_address())
    )
    with st.spinner(view.say("Asking MLflow")):
        known = versions.listed()
    if not known:
        st.info(view.say("No version is registered: `dvc repro` registers one."))
        return
    for each in known:
        passed = view.say("passed every gate") if each.passed else view.say("did not pass every gate")
        names = ", ".join(each.aliases)
        title = view.say("Version {number}").format(number=each.number)
        with st.expander(
            f"{title} · {names} · {passed}" if names else f"{title} · {passed}", expanded="champion" in each.aliases
        ):
            st.markdown(each.card)
    st.header(view.say("Change what serves"))
    sure = st.checkbox(view.say("I have read the gates, and want to change what serves"))
    number = st.selectbox(view.say("Version"), [each.number for each in known])
    promote, back = st.columns(2)
    if promote.button(view.say("Promote it"), disabled=not sure):
        st.success(versions.tried(partial(versions.promote, str(number))))
    if back.button(view.say("Roll back"), disabled=not sure):
        st.success(versions.tried(versions.roll_back))


def _gates(view: View) -> None:
    """What the model of the release was judged by."""
    rows = pd.DataFrame(view.release.answers["guarantee"]["gates"])
    if rows.empty:
        return
    st.header(view.say("Gates"))
    st.dataframe(view.table(rows, ["name", "value", "threshold", "passed"]), hide_index=True, width="stretch")
