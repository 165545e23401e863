"""MLflow's page in the browser, on the store that the stages use."""

import os
import socket
import sys
from importlib.util import find_spec
from urllib.parse import urlsplit

from insiders.errors import InputError
from insiders.io.tracking import address, runs, views
from insiders.io.tracking.connection import connect

HOST = "127.0.0.1"
SECRETS = ("MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_AUTH_ADMIN_PASSWORD")
CONFIG = "MLFLOW_AUTH_CONFIG_PATH"
ACCOUNTS = """[mlflow]
default_permission = READ
database_uri = {uri}
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
HINT = 'MLflow may open on its page for language models: click "Model training", then the experiment insiders'


def ui_address(port: int) -> str:
    """Address of the page; where the store is itself a server, that server's."""
    uri = address.tracking_uri()
    return uri if urlsplit(uri).scheme in {"http", "https"} else f"http://{HOST}:{port}"


def trials_address(port: int) -> str:
    """Address at which the page shows the trials side by side."""
    return views.page(ui_address(port), connect().experiment)


def serve(port: int, *, auth: bool = False) -> None:
    """Become MLflow's server, until it is interrupted; returns at once where the store is itself a server.

    With `auth` whoever opens it has to log in.
    """
    runs.deliver()
    uri = connect().uri
    if ui_address(port) == uri:
        return
    _require_free(port)
    # One worker serves one person; each takes half a gigabyte. Jobs belong to pages that this project does not use.
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_LOGGING_LEVEL": "ERROR"}
    if auth:
        environment |= _login(uri)
    login = ["--app-name", "basic-auth"] if auth else []
    os.execve(sys.executable, [*command(uri, port), *login], environment)  # noqa: S606


def command(uri: str, port: int) -> list[str]:
    """The server's command line; on a local store artifacts lie beside its database.

    It answers to the names of this machine alone: MLflow would also take 10.ANYTHING for a machine of one's own net, by
    which a page on the web reads what is served here.
    """
    database = address.database_file(uri)
    artifacts = ["--default-artifact-root", (database.parent / address.ARTIFACTS).as_uri()] if database else []
    server = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, *artifacts]
    names = ",".join(f"{host}:{port}" for host in (HOST, "localhost"))
    return [*server, "--host", HOST, "--port", str(port), "--workers", "1", "--allowed-hosts", names]


def _login(uri: str) -> dict[str, str]:
    """What MLflow's own login needs in the environment; its accounts lie beside the store."""
    if find_spec("flask_wtf") is None:
        raise InputError("a login needs the extra `auth`: run `make auth` (or install Flask-WTF with pip)")
    missing = [name for name in SECRETS if not os.environ.get(name)]
    if missing:
        raise InputError(
            f"a login needs {' and '.join(missing)} in the environment: a long random text each; the password is that "
            "of the account `admin`, which is made at the first start"
        )
    database = address.database_file(uri)
    if database is None or CONFIG in os.environ:
        return {}
    settings = database.with_name("auth.ini")
    settings.write_text(ACCOUNTS.format(uri=f"sqlite:///{database.with_name('auth.db')}"), encoding="utf-8")
    return {CONFIG: str(settings)}


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InputError(
                f"port {port} of {HOST} is in use: name another with --port, or end the program that uses it"
            ) from error
