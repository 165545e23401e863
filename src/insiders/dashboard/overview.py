"""The nine answers on one screen."""

import streamlit as st

from insiders.dashboard.view import NONE, View

COLUMNS = 3


def show(view: View) -> None:
    """A card for each question: the answer in one sentence, as in answers.json."""
    answers = view.release.answers
    st.title(view.say("Insiders as of {day}").format(day=view.day))
    count, share, money = st.columns(COLUMNS)
    count.metric(view.say("Members"), view.language.count(answers["who"]["count"]))
    share.metric(view.say("Share of net revenue"), _share(view, answers["revenue_share"]["net_revenue_share"]))
    ahead = answers["expected_revenue"]
    label = view.say("Expected in {days} days").format(days=ahead["horizon_days"])
    money.metric(label, view.language.rounded(ahead["expected"]) if ahead["expected"] is not None else NONE)
    cards = list(view.release.wordings(view.language).values())
    for row in range(0, len(cards), COLUMNS):
        for place, card in zip(st.columns(COLUMNS), cards[row : row + COLUMNS], strict=False):
            with place.container(border=True):
                st.markdown(f"**{card.question}**")
                st.markdown(_plain(card.answer))


def _share(view: View, share: float | None) -> str:
    return view.language.share(share or 0.0, 0)


def _plain(text: str) -> str:
    """Without what Markdown would take for marks."""
    return text.replace("$", "\\$").replace("*", "\\*").replace("_", "\\_")
