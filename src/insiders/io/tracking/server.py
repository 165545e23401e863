"""MLflow's page in the browser, on the store that the stages use."""

import os
import socket
import sys
from urllib.parse import urlsplit

from insiders.errors import InputError
from insiders.io.tracking import address, views
from insiders.io.tracking.connection import connect

HOST = "127.0.0.1"
HINT = 'MLflow may open on its page for language models: click "Model training", then the experiment insiders'


def ui_address(port: int) -> str:
    """Address of the page; where the store is itself a server, that server's."""
    uri = address.tracking_uri()
    return uri if urlsplit(uri).scheme in {"http", "https"} else f"http://{HOST}:{port}"


def trials_address(port: int) -> str:
    """Address at which the page shows the trials side by side."""
    return views.page(ui_address(port), connect().experiment)


def serve(port: int) -> None:
    """Become MLflow's server, until it is interrupted; returns at once where the store is itself a server."""
    uri = connect().uri
    if ui_address(port) == uri:
        return
    _require_free(port)
    # One worker serves one person; each takes half a gigabyte. Jobs belong to pages that this project does not use.
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_LOGGING_LEVEL": "ERROR"}
    os.execve(sys.executable, command(uri, port), environment)  # noqa: S606


def command(uri: str, port: int) -> list[str]:
    """The server's command line; on a local store artifacts lie beside its database."""
    database = address.database_file(uri)
    artifacts = ["--default-artifact-root", (database.parent / address.ARTIFACTS).as_uri()] if database else []
    server = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, *artifacts]
    return [*server, "--host", HOST, "--port", str(port), "--workers", "1"]


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InputError(
                f"port {port} of {HOST} is in use: name another with --port, or end the program that uses it"
            ) from error
