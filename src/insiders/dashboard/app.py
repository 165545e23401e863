"""The page that Streamlit runs: `insiders dashboard` starts it in the project's folder."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from insiders.answers.release import LANGUAGES, Release
from insiders.dashboard import current, experiment, members, models, overview, quality, segments, sizes
from insiders.dashboard.view import View

NAMES = dict(zip(LANGUAGES, ("English", "Português"), strict=True))


def main() -> None:
    st.set_page_config(page_title="Insiders", layout="wide")
    found = current.latest()
    if found.release is None:
        st.error(found.problem)
        st.stop()
    release = found.release
    view = View(release, release.speak(chosen_language(release)), current.source().has_models)
    if found.problem:
        st.info(view.say("A newer release is being written; this is the one before it."))
    st.navigation(pages(view)).run()
    st.sidebar.caption(view.say("release {release}, as of {day}").format(release=release.name, day=view.day))


def chosen_language(release: Release) -> str:
    own = LANGUAGES.index(release.language)
    asked = st.sidebar.radio("Language · Idioma", LANGUAGES, index=own, format_func=NAMES.__getitem__, horizontal=True)
    return str(asked)


def pages(view: View) -> list[Any]:
    """Streamlit's pages, in the order of the menu."""
    say = view.say
    told: list[tuple[str, str, Callable[[View], None]]] = [
        ("answers", say("The nine answers"), overview.show),
        ("segments", say("Segments"), segments.show),
        ("members", say("Members"), members.show),
        ("sizes", say("What if"), sizes.show),
        ("experiment", say("Experiment"), experiment.show),
        ("models", say("Models"), models.show),
        ("quality", say("Data quality"), quality.show),
    ]
    return [st.Page(partial(show, view), title=title, url_path=path) for path, title, show in told]


if __name__ == "__main__":  # as Streamlit runs it; who documents the package imports it
    main()
