"""Streamlit as the dashboard's server: this process becomes it."""

import importlib.util
import os
import sys

from insiders.errors import InputError

# Nothing is reported to Streamlit's makers, no file is watched for changes of code, and no mail address is asked for.
SETTINGS = {
    "server.headless": "true",
    "browser.gatherUsageStats": "false",
    "server.fileWatcherType": "none",
    "client.toolbarMode": "viewer",
    "theme.base": "light",
}

STORE = "INSIDERS_DASHBOARD_FROM"  # variable by which the server's scripts learn of a store


def store() -> str | None:
    """Address of the store that is to be shown; None: the files of the working folder."""
    return os.environ.get(STORE)


def command(host: str, port: int) -> list[str]:
    """The server's command line."""
    options = SETTINGS | {"server.address": host, "server.port": str(port)}
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "insiders.dashboard", *flags]


def serve(host: str, port: int, shown: str | None) -> None:
    """Become the server, until it is interrupted; `shown` is the address of a store.

    Raises InputError where Streamlit or the store's driver is not installed, or the address names no store.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise InputError('the dashboard needs Streamlit: install it with pip install "insiders[dashboard]"')
    if shown:
        from insiders.io import stores

        stores.open_store(shown, stores.SCHEMA)
    environment = os.environ | ({STORE: shown} if shown else {})
    os.execve(sys.executable, command(host, port), environment)  # noqa: S606
