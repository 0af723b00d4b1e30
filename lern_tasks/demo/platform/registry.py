"""A certificate registry that behaves like Sunbird RC 1.x or 2, with switches for its bad days.

See docs/architecture.md, section "Embedded".
Run it with `python -m lern_tasks.demo.platform.registry --data FILE`.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lern_tasks.demo.platform.http_server import NoReply, Reply, Request, json_reply
from lern_tasks.demo.platform.registry_documents import certificate_fault, credential, envelope
from lern_tasks.demo.platform.registry_pictures import html_page, svg_of
from lern_tasks.demo.platform.registry_search import read_query, search_reply
from lern_tasks.demo.platform.registry_store import RegistryStore, StoredEntity, as_json
from lern_tasks.demo.platform.registry_switches import RegistrySwitches
from lern_tasks.demo.platform.service import Service, run_service
from lern_tasks.demo.platform.switches import failure_status
from lern_tasks.demo.servers.parent import add_parent_argument

CERTIFICATE_ENTITY = "TrainingCertificate"
_KEY_ENTITY = "PublicKey"
_API = re.compile(r"/api/v1/(?P<entity>\w+)(?:/(?P<osid>[^/]+)(?P<revoke>/revoke)?)?")
_SEEN = re.compile(r"/certs/(?P<osid>[^/]+)")


class Registry(Service[RegistrySwitches]):
    """The registry, on threads of this process: `with Registry() as registry: ... registry.api_url`.

    It knows the entities `TrainingCertificate` (or `entity`) and `PublicKey`, and has one public key from the start.
    A certificate can be looked at under `{public_url}/certs/{osid}`, which is what its QR code says.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        port: int = 0,
        public_url: str | None = None,
        entity: str = CERTIFICATE_ENTITY,
        switches: RegistrySwitches | None = None,
    ) -> None:
        """Open the registry.

        Args:
            data: a file of JSON lines that makes certificates survive a restart; None keeps them in memory.
            port: 0 for one that the system chooses.
            public_url: the address in the QR codes; None for this server's own.
            entity: the name under which certificates are issued.
            switches: None for a registry without faults.
        """
        super().__init__(switches or RegistrySwitches(), port=port)
        self._store = RegistryStore(data)
        self._entity = entity
        self._public_url = public_url
        if not self.entities(_KEY_ENTITY):
            self._store.create(_KEY_ENTITY, {"value": "embedded registry: no key", "alg": "RSA"})

    @property
    def api_url(self) -> str:
        """The base address of the API, what the setting for the registry wants."""
        return f"{self.url}/api/v1"

    def certificate_url(self, osid: str) -> str:
        """Where a certificate can be looked at."""
        return f"{self._public_url or self.url}/certs/{osid}"

    def entities(self, entity: str | None = None, *, deleted: bool = False) -> list[StoredEntity]:
        """The certificates (or another entity) that are active, oldest first; with `deleted`, only the others."""
        wanted = entity or self._entity
        return [
            each for each in self._store.all() if each.entity == wanted and (each.deleted_at is not None) == deleted
        ]

    def control(self, request: Request) -> Reply | None:
        """`GET /_entities` lists what is stored, deleted entities too; the rest is the base class's."""
        if (request.method, request.path) == ("GET", "/_entities"):
            return json_reply([as_json(each) for each in self._store.all()])
        return super().control(request)

    def answer(self, request: Request) -> Reply | NoReply:
        """The registry's API, and the page behind a QR code."""
        seen = _SEEN.fullmatch(request.path)
        if seen and request.method == "GET":
            return self._look(seen["osid"])
        call = _API.fullmatch(request.path)
        return json_reply({"error": "Not Found"}, 404) if call is None else self._api(call, request)

    def _api(self, call: re.Match[str], request: Request) -> Reply | NoReply:
        entity, osid = call["entity"], call["osid"]
        if entity not in {self._entity, _KEY_ENTITY}:
            return json_reply(envelope(_operation(request, osid), error=f"Schema '{entity}' not found"), 404)
        reply: Reply | NoReply = json_reply({"error": "Method Not Allowed"}, 405)
        match request.method, osid, call["revoke"]:
            case "POST", None, None:
                reply = self._create(entity, request)
            case "POST", "search", None:
                reply = self._search(entity, request)
            case "POST", str(), str():
                reply = self._revoke(entity, osid)
            case "GET", str(), None:
                reply = self._read(entity, osid, request)
            case "DELETE", str(), None:
                reply = self._delete(entity, osid)
        return reply

    def _create(self, entity: str, request: Request) -> Reply | NoReply:
        operation = "create" if self.switches.release == "1" else "post"
        key = self.switches.api_key
        if key is not None and request.headers.get("authorization") != key:
            return json_reply(envelope(operation, error="Unauthorized"), 401)
        mode = self.switches.take("create")
        if (failed := self._before_commit(mode, operation)) is not None:
            return failed
        try:
            body = request.json()
        except ValueError:
            return json_reply(envelope(operation, error="the body is not JSON"), 400)
        fault = certificate_fault(body) if entity == self._entity else ""
        if fault or not isinstance(body, dict):
            return json_reply(envelope(operation, error=f"Validation Exception : {fault}"), 400)
        osid = self._store.create(entity, body).osid
        result = {"transactionId": osid} if mode == "transaction_id" else {entity: _id_member(mode, osid)}
        return self._after_commit(mode, operation, result)

    def _search(self, entity: str, request: Request) -> Reply | NoReply:
        mode = self.switches.take("key_search" if entity == _KEY_ENTITY else "search")
        if (failed := self._before_commit(mode, "search")) is not None:
            return failed
        if mode == "blank_result":
            return json_reply(envelope("search", result="", error="search is disabled"))
        try:
            query = read_query(request, self.switches)
            found = self._store.search(
                entity, query.filters, limit=query.limit, offset=query.offset, lag=query.lag_of(entity != _KEY_ENTITY)
            )
        except ValueError as error:
            return json_reply(envelope("search", result="", error=str(error)))
        return search_reply([] if mode == "empty" or query.blind else found, mode, self.switches.release)

    def _read(self, entity: str, osid: str, request: Request) -> Reply | NoReply:
        mode = self.switches.take("read")
        if (failed := self._before_commit(mode, "get")) is not None:
            return failed
        stored = self._store.get(entity, osid)
        accept = request.headers.get("accept", "")
        if any(kind in accept for kind in ("image/svg+xml", "application/pdf", "text/html")):
            return self._picture(stored, accept, request.headers.get("template", ""))
        if stored is None:
            return json_reply(envelope("get", error="entity does not exist"), 404)
        signed = credential(stored.document)
        if "application/vc+ld+json" in accept:
            return json_reply(signed)
        return json_reply({**stored.document, "_osSignedData": json_reply(signed).body.decode()})

    def _picture(self, stored: StoredEntity | None, accept: str, template: str) -> Reply:
        svg = None if stored is None else svg_of(stored, self.certificate_url(stored.osid), template)
        if svg is None or "application/pdf" in accept:
            return Reply(status=400)
        if "image/svg+xml" in accept:
            return Reply(body=svg, content_type="image/svg+xml")
        return Reply(body=html_page(svg), content_type="text/html; charset=utf-8")

    def _look(self, osid: str) -> Reply:
        stored = self._store.get(self._entity, osid)
        if stored is None:
            return Reply(
                status=404, body=b"there is no such certificate, or it was withdrawn", content_type="text/plain"
            )
        address = self.certificate_url(osid)
        svg = svg_of(stored, address, str(stored.document.get("templateUrl", ""))) or svg_of(stored, address, "")
        return Reply(status=200 if svg else 500, body=svg or b"", content_type="image/svg+xml")

    def _delete(self, entity: str, osid: str) -> Reply | NoReply:
        mode = self.switches.take("delete")
        if (failed := self._before_commit(mode, "delete")) is not None:
            return failed
        if not self._store.delete(entity, osid):
            status = 500 if self.switches.release == "1" else 404
            return json_reply(envelope("delete", error="entity status is inactive or it does not exist"), status)
        return self._after_commit(mode, "delete", None)

    def _revoke(self, entity: str, osid: str) -> Reply:
        if self._store.revoke(entity, osid):
            return json_reply(envelope("revoke"))
        return json_reply(envelope("revoke", error="entity does not exist"), 500)

    def _before_commit(self, mode: str, operation: str) -> Reply | NoReply | None:
        if mode == "drop":
            return NoReply()
        if mode == "timeout":
            return self.no_reply()
        status = failure_status(mode)
        return None if status is None else json_reply(envelope(operation, error=f"switched to answer {status}"), status)

    def _after_commit(self, mode: str, operation: str, result: Mapping[str, Any] | None) -> Reply | NoReply:
        if mode == "drop_after_commit":
            return NoReply()
        if mode == "timeout_after_commit":
            return self.no_reply()
        if mode == "500_after_commit":
            return json_reply(envelope(operation, error="switched to answer 500"), 500)
        return json_reply(envelope(operation, result=result), 201 if mode == "201" else 200)


def _id_member(mode: str, osid: str) -> dict[str, str]:
    return {"no_osid": {}, "blank_osid": {"osid": ""}}.get(mode, {"osid": osid})


def _operation(request: Request, osid: str | None) -> str:
    return {"POST": "search" if osid == "search" else "create"}.get(request.method, request.method.lower())


def main() -> None:
    """Serve in a process of its own; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m lern_tasks.demo.platform.registry", description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="file of JSON lines that survives a restart")
    parser.add_argument("--port", type=int, default=0, help="0: chosen by the system")
    parser.add_argument("--public-url", default=None, help="address in the QR codes; default: this server")
    parser.add_argument("--entity", default=CERTIFICATE_ENTITY, help="name under which certificates are issued")
    add_parent_argument(parser)
    options = parser.parse_args()
    registry = Registry(options.data, port=options.port, public_url=options.public_url, entity=options.entity)
    run_service(registry, options.parent_pid)


if __name__ == "__main__":
    main()
