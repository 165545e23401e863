"""A running Metabase by its API: a dashboard and its cards are made there, or brought up to date where they are."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import requests

from insiders.errors import InputError
from insiders.io import addresses

KEY, SESSION = "METABASE_API_KEY", "METABASE_SESSION"
HEADERS = {KEY: "x-api-key", SESSION: "X-Metabase-Session"}
TIMEOUT = 60  # seconds
HEADING = "heading"
Json = Mapping[str, object]
Kind = Literal["collection", "card", "dashboard"]


class Entity(NamedTuple):
    """A collection, card or dashboard: what the API takes, and the names under which it may be there already."""

    names: tuple[str, ...]
    body: Json


class Bundle(NamedTuple):
    """A dashboard with all that it shows; in `layout` a `card` is one of `cards`, not yet the number it has there."""

    database: int
    collection: Entity
    cards: Mapping[str, Entity]
    dashboard: Entity
    layout: Sequence[Json]
    headings: frozenset[str]  # their texts in every language

    def as_json(self) -> dict[str, object]:
        """The same as a document, for those who send it themselves."""
        cards = {name: card.body for name, card in self.cards.items()}
        own = {**self.dashboard.body, "dashcards": list(self.layout)}
        return {"collection": self.collection.body, "cards": cards, "dashboard": own}


class Sent(NamedTuple):
    """Where the dashboard is, and how much of it is new."""

    address: str
    created: int
    updated: int


def send(bundle: Bundle, address: str) -> Sent:
    """Make or bring up to date the collection, its cards and the dashboard; what people added to it stays.

    Raises InputError where Metabase cannot be reached, refuses the key, does not know the database or an entity.
    """
    metabase = _Metabase(address)
    metabase.require_database(bundle.database)
    collection = metabase.put("collection", bundle.collection, metabase.collections())
    there = metabase.items(collection)
    cards = {
        name: metabase.put("card", _inside(card, collection), there["card"]) for name, card in bundle.cards.items()
    }
    dashboard = metabase.put("dashboard", _inside(bundle.dashboard, collection), there["dashboard"])
    metabase.arrange(dashboard, bundle, cards)
    return Sent(f"{metabase.address}/dashboard/{dashboard}", metabase.created, metabase.updated)


class _Metabase:
    """Calls of the API, and how many entities they made or changed."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.variable = SESSION if SESSION in os.environ and KEY not in os.environ else KEY
        self.session = requests.Session()
        self.session.headers[HEADERS[self.variable]] = addresses.secret(self.variable)
        self.created = self.updated = 0

    def require_database(self, number: int) -> None:
        listed = self._call("GET", "database")
        databases = {each["id"]: each["name"] for each in listed.get("data", listed)}
        if number not in databases:
            named = ", ".join(f"{key} ({name})" for key, name in sorted(databases.items())) or "none"
            raise InputError(f"{self.address} has no database {number}: name one of {named} with --database")

    def collections(self) -> dict[str, int]:
        """The numbers of those at the top, by name."""
        listed = self._call("GET", "collection")
        return {each["name"]: each["id"] for each in listed if each.get("location") == "/" and not each.get("archived")}

    def items(self, collection: int) -> dict[str, dict[str, int]]:
        """The numbers of cards and dashboards in a collection, by name."""
        listed = self._call("GET", f"collection/{collection}/items?models=card&models=dashboard")["data"]
        return {
            model: {each["name"]: each["id"] for each in listed if each["model"] == model}
            for model in ("card", "dashboard")
        }

    def put(self, kind: Kind, entity: Entity, there: Mapping[str, int]) -> int:
        """Create the entity, or update the one that bears one of its names; returns its number."""
        known = [there[name] for name in entity.names if name in there]
        if known:
            self._call("PUT", f"{kind}/{known[0]}", entity.body)
            self.updated += 1
            return known[0]
        self.created += 1
        return int(self._call("POST", kind, entity.body)["id"])

    def arrange(self, dashboard: int, bundle: Bundle, cards: Mapping[str, int]) -> None:
        """Lay out the dashboard; those cards of it that are not ours stay where they are."""
        shown = self._call("GET", f"dashboard/{dashboard}").get("dashcards", [])
        ours = set(cards.values())
        others = [each for each in shown if each.get("card_id") not in ours and not _is_heading(each, bundle.headings)]
        at = {each["card_id"]: each["id"] for each in shown if each.get("card_id") in ours}
        own = [_numbered(place, number, cards, at) for number, place in enumerate(bundle.layout, 1)]
        self._call("PUT", f"dashboard/{dashboard}", {"dashcards": [*others, *own]})

    def _call(self, method: str, path: str, body: Json | None = None) -> Any:
        with self._readable(path):
            sent: Any = body  # requests wants a dict of JSON, which a Mapping is not to mypy
            answer = self.session.request(method, f"{self.address}/api/{path}", json=sent, timeout=TIMEOUT)
            answer.raise_for_status()
            return answer.json()

    @contextmanager
    def _readable(self, path: str) -> Iterator[None]:
        """Turn what the server says against a call into an error that names what mends it."""
        try:
            yield
        except requests.HTTPError as error:
            raise InputError(f"{self.address}: {self._advice(error.response, path)}") from error
        except requests.JSONDecodeError as error:
            raise InputError(f"{self.address}/api/{path} does not answer as Metabase does: mend the address") from error
        except requests.RequestException as error:
            raise InputError(
                f"{self.address} cannot be reached ({type(error).__name__}): is it running, and the address right?"
            ) from error

    def _advice(self, answer: requests.Response | None, path: str) -> str:
        assert answer is not None, "raise_for_status has one"
        match answer.status_code:
            case 401:
                return f"the key in {self.variable} is refused: make one under Admin settings, Authentication, API keys"
            case 403:
                return f"the owner of {self.variable} may not change {path}: give their group that permission"
            case 404:
                return (
                    f"there is no /api/{path}: is this Metabase 0.49 or later, and the address that of its first page?"
                )
        return f"/api/{path} is answered by {answer.status_code} {answer.reason}: {answer.text[:200]}"


def _inside(entity: Entity, collection: int) -> Entity:
    return entity._replace(body={**entity.body, "collection_id": collection})


def _is_heading(dashcard: Mapping[str, Any], texts: frozenset[str]) -> bool:
    settings = dashcard.get("visualization_settings") or {}
    return (settings.get("virtual_card") or {}).get("display") == HEADING and settings.get("text") in texts


def _numbered(place: Json, number: int, cards: Mapping[str, int], at: Mapping[int, int]) -> dict[str, object]:
    """A place on the dashboard with Metabase's numbers; negative ones are of those that it has yet to make."""
    card = cards.get(str(place.get("card")))
    mappings: Any = place.get("parameter_mappings", [])
    rest = {name: value for name, value in place.items() if name != "card"}
    return {
        **rest,
        "id": at.get(card, -number) if card else -number,
        "card_id": card,
        "parameter_mappings": [{**each, "card_id": card} for each in mappings],
    }
