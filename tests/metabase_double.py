"""A double of Metabase: the calls of its public API reference that `insiders bi metabase` makes, and their refusals."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KEY = "mb_secret"
# What the reference requires of a new entity, and what else it takes here.
NEEDED = {
    "collection": {"name"},
    "card": {"name", "dataset_query", "display", "visualization_settings"},
    "dashboard": {"name"},
}
TAKEN = {"collection_id", "parameters", "dashcards"}
OF_DASHCARD = {"id", "card_id", "row", "col", "size_x", "size_y"}


class Metabase:
    """Its state: entities by kind and number, as the API gives them."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[int, dict[str, Any]]] = {kind: {} for kind in NEEDED}
        self.databases = [{"id": 1, "name": "Sample Database"}, {"id": 7, "name": "marketing"}]
        self.address, self.number, self.instead = "", 100, b""  # `instead`: what a proxy answers in its place

    def answer(self, method: str, path: str, body: Any) -> Any:  # noqa: PLR0911 - a call each
        """What the API answers, or the status by which it refuses."""
        kind, _, rest = path.removeprefix("/api/").partition("/")
        match method, kind, rest:
            case "GET", "database", "":
                return {"data": self.databases, "total": len(self.databases)}
            case "GET", "collection", "":
                return [{"id": "root", "name": "Our analytics"}, *self.entities["collection"].values()]
            case "GET", "collection", items if items.endswith("/items"):
                return self._items(int(items.removesuffix("/items")))
            case "GET", "dashboard", number:
                return self.entities["dashboard"][int(number)]
            case "POST", "collection" | "card" | "dashboard", "":
                return self._create(kind, body)
            case "PUT", "collection" | "card" | "dashboard", number:
                return self._update(kind, int(number), body)
        return 404

    def _create(self, kind: str, body: Any) -> Any:
        if not NEEDED[kind] <= set(body) or set(body) - NEEDED[kind] - TAKEN:
            return 400
        self.number += 1
        more = {"collection": {"location": "/"}, "card": {}, "dashboard": {"dashcards": []}}
        self.entities[kind][self.number] = {**more[kind], **body, "id": self.number}
        return self.entities[kind][self.number]

    def _update(self, kind: str, number: int, body: Any) -> Any:
        for dashcard in body.get("dashcards", []):
            if not set(dashcard) >= OF_DASHCARD or dashcard["card_id"] not in {None, *self.entities["card"]}:
                return 400
            if dashcard["id"] < 0:  # one that is to be made
                self.number += 1
                dashcard["id"] = self.number
        self.entities[kind][number].update(body)
        return self.entities[kind][number]

    def _items(self, collection: int) -> Any:
        every = [
            {"model": kind, "id": each["id"], "name": each["name"]}
            for kind in ("card", "dashboard")
            for each in self.entities[kind].values()
            if each.get("collection_id") == collection
        ]
        return {"data": every, "total": len(every)}


@contextmanager
def running() -> Iterator[Metabase]:
    """A server on a free port, with one key."""
    metabase = Metabase()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_known = KEY in (self.headers.get("x-api-key"), self.headers.get("X-Metabase-Session"))
            path = urlsplit(self.path).path
            answer = metabase.answer(self.command, path, json.loads(text) if text else None) if is_known else 401
            status, content = (answer, {"error": "refused"}) if isinstance(answer, int) else (200, answer)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(metabase.instead or json.dumps(content).encode())

        do_GET = do_POST = do_PUT = do

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    metabase.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield metabase
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
