"""Downloads are whole and of the expected digest, or there is a message and no file."""

import hashlib
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from deliveries import ROWS, csv_text, taken
from insiders.cli import app
from insiders.errors import InputError
from insiders.io.delivery import download, files

CONTENT = csv_text(ROWS).encode()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Publisher(BaseHTTPRequestHandler):
    """Serves /shop.csv, and what can go wrong; counts what was asked for."""

    asked = 0

    def do_GET(self) -> None:
        Publisher.asked += 1
        kind = self.path.rpartition("/")[2]
        self.send_response(404 if kind == "missing.csv" else 200)
        self.send_header("Content-Length", str(len(CONTENT) + (7 if kind == "short.csv" else 0)))
        self.end_headers()
        if kind == "slow.csv":
            time.sleep(0.5)
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Publisher, "asked", 0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.daemon_threads = False  # closing waits for the slow one
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_source_on_the_web_is_read(address):
    assert taken(f"{address}/a/shop.csv")["rows"] == 4
    assert Path("data/raw/shop.csv").read_bytes() == CONTENT


def test_a_copy_of_the_expected_digest_is_not_fetched_again(address):
    for _ in range(2):
        record = taken(f"{address}/shop.csv", sha256=DIGEST)
    assert (record["sha256"], Publisher.asked) == (DIGEST, 1)
    assert not files.changed_since(record)


@pytest.mark.parametrize(
    ("name", "sha256", "expected"),
    [
        ("missing.csv", None, "404 Not Found: mend the address"),
        ("short.csv", None, r"broke off after \d+ of \d+ bytes"),
        ("slow.csv", None, "the download failed .*timed out"),
        ("shop.csv", "0" * 64, f"sha256 is {DIGEST}, expected 000"),
    ],
)
def test_a_failed_download_says_why_and_leaves_what_was_there(name, sha256, expected, address, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    target = Path("raw") / name
    target.parent.mkdir()
    target.write_bytes(b"old")
    with pytest.raises(InputError, match=expected):
        download.download(f"{address}/{name}", target, sha256)
    assert target.read_bytes() == b"old"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.usefixtures("address")
def test_nobody_there(tmp_path):
    with pytest.raises(InputError, match=r"the download failed .*network open"):
        download.download(f"http://127.0.0.1:{free_port()}/shop.csv", tmp_path / "shop.csv")
    with pytest.raises(InputError, match="begins with http"):
        download.download("file:///etc/hosts", tmp_path / "hosts")


def test_the_command_says_what_to_write_into_the_params(address):
    ended = CliRunner().invoke(app, ["fetch", "--url", f"{address}/shop.csv", "--sha256", DIGEST])
    assert ended.exit_code == 0
    assert "source: data/raw/shop.csv" in ended.output


def test_the_command_ends_with_a_message(address):
    ended = CliRunner().invoke(app, ["fetch", "--url", f"{address}/missing.csv"])
    assert ended.exit_code == 1
    assert ended.output == f"insiders: {address}/missing.csv: the server answered 404 Not Found: mend the address\n"
    assert not list(Path("data/raw").iterdir())
