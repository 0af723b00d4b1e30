"""The old certificate registry and the signing service, for certificates without the new registry.

Base addresses: `{url}/certreg` and `{url}/enc`. See docs/architecture.md, section "Embedded".
Run it with `python -m lern_tasks.demo.platform.old_registry`.
"""

import argparse
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lern_tasks.demo.platform.http_server import NoReply, Reply, Request, json_reply
from lern_tasks.demo.platform.service import Service, json_object, run_service
from lern_tasks.demo.platform.switches import Switches, failure_status
from lern_tasks.demo.servers.parent import add_parent_argument

_FAULTS = frozenset({"timeout", "drop"})
_AFTER = frozenset({"timeout_after_commit", "drop_after_commit", "500_after_commit"})


@dataclass(slots=True, kw_only=True)
class OldRegistrySwitches(Switches):
    """Switches of the old registry; each mode is an HTTP status, `timeout` or `drop` (no answer).

    `add` also takes `timeout_after_commit`, `drop_after_commit` and `500_after_commit`: the certificate is registered.
    `sign` takes `no_signature`. Each mode holds for `<name>_times` requests if that is set.
    """

    modes: ClassVar[Mapping[str, frozenset[str]]] = {
        "add": _FAULTS | _AFTER,
        "read": _FAULTS,
        "sign": _FAULTS | {"no_signature"},
    }

    add: str = "200"
    add_times: int | None = None
    read: str = "200"
    read_times: int | None = None
    sign: str = "200"
    sign_times: int | None = None


class OldRegistry(Service[OldRegistrySwitches]):
    """Both services, on threads of this process: `with OldRegistry() as old: ... old.registry_url`.

    It keeps the rows that the real one writes to `cert_registry`, in memory; `GET /_rows` shows them.
    """

    def __init__(self, *, port: int = 0, switches: OldRegistrySwitches | None = None) -> None:
        super().__init__(switches or OldRegistrySwitches(), port=port)
        self._changes = threading.Lock()
        self._rows: dict[str, dict[str, Any]] = {}

    @property
    def registry_url(self) -> str:
        """Base address of the registry."""
        return f"{self.url}/certreg"

    @property
    def signing_url(self) -> str:
        """Base address of the signing service."""
        return f"{self.url}/enc"

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of `cert_registry` by id."""
        with self._changes:
            return dict(self._rows)

    def control(self, request: Request) -> Reply | None:
        """`GET /_rows`; the rest is the base class's."""
        if (request.method, request.path) == ("GET", "/_rows"):
            return json_reply(self.rows)
        return super().control(request)

    def answer(self, request: Request) -> Reply | NoReply:
        """The two services."""
        for method, path, name in _ROUTES:
            found = path.fullmatch(request.path)
            if found and request.method == method:
                mode = self.switches.take(name)
                route: Callable[..., Reply | NoReply] = getattr(self, f"_{name}")
                return self._fault(mode) or route(request, mode, **found.groupdict())
        return _failure(404, "RESOURCE_NOT_FOUND", "there is no such path")

    def _fault(self, mode: str) -> Reply | NoReply | None:
        if mode == "drop":
            return NoReply()
        if mode == "timeout":
            return self.no_reply()
        status = failure_status(mode)
        code = "CLIENT_ERROR" if status is not None and status < 500 else "SERVER_ERROR"
        return None if status is None else _failure(status, code, "switched")

    def _add(self, request: Request, mode: str) -> Reply | NoReply:
        try:
            body = json_object(request)["request"]
            fault = _fault_of(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            fault = "invalid requested data"
        if fault:
            return _failure(400, "CLIENT_ERROR", fault)
        with self._changes:
            refused = self._register(body)
        if refused:
            return _failure(400, "CLIENT_ERROR", refused)
        if mode == "500_after_commit":
            return _failure(500, "SERVER_ERROR", "switched")
        if mode in _AFTER:
            return NoReply() if mode == "drop_after_commit" else self.no_reply()
        return _success({"id": body["id"]})

    def _register(self, body: Mapping[str, Any]) -> str:
        """Store the row; the reason when it is refused. As the real one: the old certificate goes first."""
        old, recipient = self._rows.get(body.get("oldId") or ""), body.get("recipientId")
        if old is not None and recipient:
            if json.loads(old["recipient"])["id"].lower() != recipient.lower():
                return "invalid requested data"
            del self._rows[old["id"]]
        if body["id"] in self._rows:
            return "id already exists"
        # The picture is in the file alone: it would fill the table.
        data = {name: value for name, value in body["jsonData"].items() if name != "printUri"}
        self._rows[body["id"]] = {
            "id": body["id"],
            "accesscode": body["accessCode"],
            "jsonurl": body["jsonUrl"],
            "data": json.dumps(data),
            "recipient": json.dumps({"id": recipient, "name": body.get("recipientName"), "type": None}),
            "related": json.dumps(body.get("related")),
            "isrevoked": False,
            "createdat": int(time.time() * 1000),
        }
        return ""

    def _read(self, _request: Request, _mode: str, certificate_id: str) -> Reply:
        row = self.rows.get(certificate_id)
        return _failure(404, "RESOURCE_NOT_FOUND", "not found") if row is None else _success({"response": row})

    def _sign(self, request: Request, mode: str, key_id: str) -> Reply:
        value = hashlib.sha256(key_id.encode() + request.body).hexdigest()
        return json_reply({} if mode == "no_signature" else {"signatureValue": value, "keyId": key_id})


_ROUTES = (
    ("POST", re.compile(r"/certreg/certs/v2/registry/add"), "add"),
    ("GET", re.compile(r"/certreg/certs/v1/registry/read/(?P<certificate_id>[^/]+)"), "read"),
    ("POST", re.compile(r"/enc/sign/(?P<key_id>[^/]+)"), "sign"),
)


def _fault_of(body: Mapping[str, Any]) -> str:
    """What the real service refuses; empty when it takes the certificate."""
    for name in ("id", "accessCode", "jsonUrl"):
        if not isinstance(body.get(name), str) or not body[name].strip():
            return f"mandatory parameter {name} is missing"
    if not isinstance(body.get("jsonData"), dict) or not body["jsonData"]:
        return "mandatory parameter jsonData is missing"
    related = body.get("related")
    if "related" in body and (not isinstance(related, dict) or not str(related.get("type") or "").strip()):
        return "mandatory parameter type inside related map is missing"
    return ""


def _success(result: Mapping[str, Any]) -> Reply:
    return json_reply({"id": "api.certs.registry", "ver": "v2", "responseCode": "OK", "result": result})


def _failure(status: int, code: str, message: str) -> Reply:
    answer = {"id": "api.certs.registry", "ver": "v2", "responseCode": code, "result": {"message": message}}
    return json_reply(answer, status)


def main() -> None:
    """Serve in a process of its own; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m lern_tasks.demo.platform.old_registry", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: chosen by the system")
    add_parent_argument(parser)
    options = parser.parse_args()
    run_service(OldRegistry(port=options.port), options.parent_pid)


if __name__ == "__main__":
    main()
