"""The old registry's index of certificates. See docs/jobs/collection_certificate_generator.md, "What differs"."""

from collections.abc import Callable
from typing import Self

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, segment
from lern_tasks.errors import DependencyDown
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings

# A constant of the Flink job too.
_INDEX = "certs"


class SearchIndexClient:
    """`addresses` is the documented `es.basePath`: `host:port[,host:port]`, any of which will do; empty: no index."""

    def __init__(self, addresses: str, *, http: HttpSettings, transport: httpx.BaseTransport | None = None) -> None:
        nodes = [address.strip() for address in addresses.split(",") if address.strip()]
        self._nodes = [
            Http("search_index", node if "://" in node else f"http://{node}", http, transport=transport)
            for node in nodes
        ]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the generator's settings describe."""
        return cls(settings.collection_certificate_generator.es_basepath, http=settings.http)

    @operation("search_index", "delete")
    def delete(self, document_id: str) -> None:
        """Delete a certificate's document; one that is not there is fine.

        Raises DependencyDown when no node can be reached, otherwise what `Http.check` raises.
        """
        path = f"/{_INDEX}/_doc/{segment(document_id)}"

        def delete_at(node: Http) -> None:
            response = node.send("DELETE", path)
            if response.status_code != 404:
                node.check(response)

        self._at_any(delete_at)

    def ping(self) -> None:
        """Raise DependencyDown unless one of the nodes answers."""
        self._at_any(Http.ping)

    def close(self) -> None:
        """Close the connections."""
        for node in self._nodes:
            node.close()

    def _at_any(self, action: Callable[[Http], None]) -> None:
        down: DependencyDown | None = None
        for node in self._nodes:
            try:
                action(node)
            except DependencyDown as error:
                down = error
            else:
                return
        if down:
            raise down
