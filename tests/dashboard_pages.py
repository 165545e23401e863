"""Pages of the dashboard, each run as a script of its own by Streamlit's testing."""

from typing import Any

from streamlit.testing.v1 import AppTest

PAGES = ["overview", "segments", "members", "sizes", "experiment", "models", "quality"]


def page(name: str, language: str) -> None:
    """What `app` does for one page."""
    from importlib import import_module

    from insiders.answers import release
    from insiders.dashboard.view import View

    source = release.shown()
    found = source.opened()
    assert found.release is not None, found.problem
    view = View(found.release, found.release.speak(language), source.has_models)
    import_module(f"insiders.dashboard.{name}").show(view)


def run(name: str, language: str = "en") -> Any:
    shown = AppTest.from_function(page, args=(name, language), default_timeout=60).run()
    assert not shown.exception, shown.exception
    return shown
