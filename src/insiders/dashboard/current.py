"""The release that all visitors see: read once, before the first of them asks and whenever a newer one is there.

A module of its own, not part of the script `app`, so that what the server keeps at its start is what the script finds.
"""

from collections.abc import Hashable

import streamlit as st

from insiders.answers import release as releases
from insiders.answers.release import Opened, Release, Source


@st.cache_resource(show_spinner=False)
def source() -> Source:
    return releases.shown()


@st.cache_resource(show_spinner=False)
def _shown_before() -> list[Release]:
    """The release that was shown last, kept while the next one is being written."""
    return []


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(state: Hashable) -> Opened:
    """Read each release once; `state` is the key alone."""
    del state
    return source().opened()


def latest() -> Opened:
    """The release that is there; where none can be read just now, the one before it with the reason."""
    found, kept = _read(source().state()), _shown_before()
    if found.release is not None:
        kept[:] = [found.release]
        return found
    _read.clear()  # nothing worth keeping: the next look reads again
    return Opened(kept[0], found.problem) if kept else found
