"""Requests and answers of the registry's search. See docs/architecture.md, section "Embedded"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lern_tasks.demo.platform.http_server import Reply, Request, json_reply
from lern_tasks.demo.platform.registry_store import StoredEntity
from lern_tasks.demo.platform.registry_switches import RegistrySwitches

# The registry's own limit for a request that names none.
_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search request; `blind` if the index cannot see a field that it names."""

    filters: Mapping[str, Any]
    limit: int
    offset: int
    lag: float
    blind: bool

    def lag_of(self, certificates: bool) -> float:
        """Seconds by which the index is behind: keys do not change, so only certificates lag."""
        return self.lag if certificates else 0.0


def read_query(request: Request, switches: RegistrySwitches) -> Query:
    """Read a search request.

    Raises:
        ValueError: if the body is not JSON or no object, or names no filters (which release 1 does not accept).
    """
    body = request.json()
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    if "filters" not in body and switches.release == "1":
        raise ValueError("filters are missing")
    filters = body.get("filters", {})
    if not isinstance(filters, dict):
        raise ValueError("filters must be an object")
    return Query(
        filters=filters,
        limit=int(body.get("limit", _LIMIT)),
        offset=int(body.get("offset", 0)),
        lag=switches.search_lag,
        blind=not switches.dotted_paths and any("." in name for name in filters),
    )


def search_reply(found: Sequence[StoredEntity], mode: str, release: str) -> Reply:
    """The answer: a bare array in release 1, a page object in release 2; no envelope in either."""
    documents = [dict(each.document) for each in found]
    as_page = mode == "page" or (mode != "array" and release == "2")
    return json_reply({"totalCount": len(documents), "data": documents} if as_page else documents)
