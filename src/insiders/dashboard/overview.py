"""The nine answers on one screen."""

from collections.abc import Iterable
from html import escape

import streamlit as st

from insiders.dashboard.view import View

# Cards beside one another where there is room, and small enough that all nine are seen at once on a laptop.
STYLE = """<style>
ol.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .6rem; }
ol.answers, ol.answers li { list-style: none; margin: 0; padding: 0 !important; }
ol.answers li { padding: .5rem .8rem !important; border: 1px solid #8885; border-radius: .5rem; }
ol.answers h2 { font-size: .95rem; margin: 0 0 .25rem; padding: 0; }
ol.answers p { font-size: .85rem; line-height: 1.35; margin: 0; }
</style>"""


def show(view: View) -> None:
    """A card for each question: the answer in one sentence, as in answers.json."""
    st.title(view.say("{count} Insiders as of {day}").format(count=_count(view), day=view.day))
    st.html(STYLE + cards(view.release.wordings(view.language).values()))


def _count(view: View) -> str:
    return view.language.count(view.release.answers["who"]["count"])


def cards(wordings: Iterable[tuple[str, str]]) -> str:
    """A list in HTML, of questions and their answers."""
    items = (f"<li><h2>{escape(question)}</h2><p>{escape(answer)}</p></li>" for question, answer in wordings)
    return f'<ol class="answers">{"".join(items)}</ol>'
