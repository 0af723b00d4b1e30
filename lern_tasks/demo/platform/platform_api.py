"""The platform's services that the jobs call: users, contents, search, notifications, feed, frameworks, templates.

Base addresses: learner `{url}/learner`, content `{url}/content`, search `{url}/search`, taxonomy `{url}/taxonomy`.
See docs/architecture.md, section "Embedded". Run it with `python -m lern_tasks.demo.platform.platform_api --data FILE`.
"""

import argparse
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from lern_tasks.demo.platform.certificate_svg import default_template
from lern_tasks.demo.platform.http_server import NoReply, Reply, Request, json_reply
from lern_tasks.demo.platform.service import Service, json_object, run_service
from lern_tasks.demo.platform.switches import Switches, failure_status
from lern_tasks.demo.servers.parent import add_parent_argument

_FAULTS = frozenset({"timeout", "drop", "200_error"})
_KINDS = ("users", "contents", "templates", "frameworks")


@dataclass(slots=True, kw_only=True)
class PlatformSwitches(Switches):
    """Switches of the platform API; each mode is an HTTP status, `timeout`, `drop`, or `200_error`.

    `drop` closes the connection without an answer; `200_error` is status 200 with a `responseCode` that is not OK.
    Each mode holds for `<name>_times` requests if that is set.

    Attributes:
        blocked_error: the error code for a blocked user; older user services say `USER_ACCOUNT_BLOCKED`.
    """

    modes: ClassVar[Mapping[str, frozenset[str]]] = dict.fromkeys(
        ("user_read", "content_read", "search", "notification", "feed", "framework_read"), _FAULTS
    )

    user_read: str = "200"
    user_read_times: int | None = None
    content_read: str = "200"
    content_read_times: int | None = None
    search: str = "200"
    search_times: int | None = None
    notification: str = "200"
    notification_times: int | None = None
    feed: str = "200"
    feed_times: int | None = None
    framework_read: str = "200"
    framework_read_times: int | None = None
    blocked_error: str = "UOS_USRRED0006"


class PlatformApi(Service[PlatformSwitches]):
    """The platform, on threads of this process: `with PlatformApi() as platform: ... platform.learner_url`.

    Users, contents, frameworks and templates are objects by id. A user with `"blocked": true` answers as a blocked one
    does. A content's `status` defaults to Live and its `objectType` to Collection. `PUT /_users`, `/_contents`,
    `/_frameworks`, `/_templates` add objects, `GET` shows them.
    """

    def __init__(self, data: Path | None = None, *, port: int = 0, switches: PlatformSwitches | None = None) -> None:
        """Open the platform.

        Args:
            data: a JSON file `{"users": {}, "contents": {}, "frameworks": {}, "templates": {}}`; additions are saved to
                it. It need not exist.
            port: 0 for one that the system chooses.
            switches: None for a platform without faults.

        Raises:
            ValueError: if the file is not such an object.
        """
        super().__init__(switches or PlatformSwitches(), port=port)
        self._data = data
        self._changes = threading.Lock()
        self._objects: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
        self._objects["templates"]["certificate.svg"] = default_template()
        if data is not None and data.exists():
            for kind, objects in json.loads(data.read_text("utf-8")).items():
                self._merge(kind, objects)

    @property
    def learner_url(self) -> str:
        """Base address of the user service."""
        return f"{self.url}/learner"

    @property
    def content_url(self) -> str:
        """Base address of the content service."""
        return f"{self.url}/content"

    @property
    def search_url(self) -> str:
        """Base address of the search service."""
        return f"{self.url}/search"

    @property
    def taxonomy_url(self) -> str:
        """Base address of the framework service."""
        return f"{self.url}/taxonomy"

    def template_url(self, name: str = "certificate.svg") -> str:
        """Address of a certificate template; the default one comes with this package."""
        return f"{self.url}/templates/{name}"

    def add(
        self,
        *,
        users: Mapping[str, Any] | None = None,
        contents: Mapping[str, Any] | None = None,
        templates: Mapping[str, str] | None = None,
        frameworks: Mapping[str, Any] | None = None,
    ) -> None:
        """Add objects by id; one that exists is replaced."""
        given = {"users": users, "contents": contents, "templates": templates, "frameworks": frameworks}
        for kind, objects in given.items():
            if objects:
                self._merge(kind, objects)
        self._save()

    def control(self, request: Request) -> Reply | None:
        """`GET` and `PUT` of `/_users` and the other kinds; the rest is the base class's."""
        kind = request.path.removeprefix("/_")
        if kind not in _KINDS or request.method not in {"GET", "PUT"}:
            return super().control(request)
        if request.method == "PUT":
            self._merge(kind, json_object(request))
            self._save()
        return json_reply(self._objects[kind])

    def answer(self, request: Request) -> Reply | NoReply:
        """The platform's services."""
        for method, path, name in _ROUTES:
            found = path.fullmatch(request.path)
            if found and request.method == method:
                route: Callable[[str, Request], Reply] = getattr(self, f"_{name}")
                return self._faulty(name) or route(found["id"] if "id" in path.groupindex else "", request)
        return _failure("api.unknown", 404, "RESOURCE_NOT_FOUND", "NOT_FOUND")

    def _faulty(self, name: str) -> Reply | NoReply | None:
        if name == "template":
            return None
        mode = self.switches.take(name)
        if mode == "drop":
            return NoReply()
        if mode == "timeout":
            return self.no_reply()
        if mode == "200_error":
            return _failure(name, 200, "CLIENT_ERROR", "SWITCHED")
        status = failure_status(mode)
        code = "CLIENT_ERROR" if status is not None and status < 500 else "SERVER_ERROR"
        return None if status is None else _failure(name, status, code, "SWITCHED")

    def _user_read(self, user_id: str, _request: Request) -> Reply:
        user = self._objects["users"].get(user_id)
        if user is None:
            return _failure("api.user.read", 404, "RESOURCE_NOT_FOUND", "USER_NOT_FOUND")
        if user.get("blocked"):
            return _failure("api.user.read", 400, "CLIENT_ERROR", self.switches.blocked_error)
        visible = {name: value for name, value in user.items() if name != "blocked"}
        return _success("api.user.read", {"response": {"id": user_id, "identifier": user_id} | visible})

    def _content_read(self, content_id: str, request: Request) -> Reply:
        content = self._objects["contents"].get(content_id)
        if content is None:
            return _failure("api.content.read", 404, "RESOURCE_NOT_FOUND", "NOT_FOUND")
        fields = [part.removeprefix("fields=") for part in request.query.split("&") if part.startswith("fields=")]
        whole = {"identifier": content_id, "status": "Live"} | content
        wanted = {"identifier", *fields[0].split(",")} if fields else set(whole)
        chosen = {name: value for name, value in whole.items() if name in wanted}
        return _success("api.content.read", {"content": chosen})

    def _search(self, _id: str, request: Request) -> Reply:
        try:
            filters = json_object(request)["request"]["filters"]
            hits = [hit for hit in self._contents() if all(_meets(hit, *each) for each in filters.items())]
        except (ValueError, KeyError, TypeError, AttributeError):
            return _failure("api.search-service.search", 400, "CLIENT_ERROR", "ERR_INVALID_REQUEST")
        result: dict[str, Any] = {"count": len(hits)}
        if hits:
            result["content"] = [{"identifier": hit["identifier"], "status": hit["status"]} for hit in hits]
        return _success("api.search-service.search", result)

    def _notification(self, _id: str, _request: Request) -> Reply:
        return _success("api.notification", {"response": "SUCCESS"})

    def _feed(self, _id: str, _request: Request) -> Reply:
        return _success("api.user.feed.create", {"response": "SUCCESS"})

    def _framework_read(self, framework_id: str, _request: Request) -> Reply:
        framework = self._objects["frameworks"].get(framework_id)
        if framework is None:
            return _failure("api.framework.read", 404, "RESOURCE_NOT_FOUND", "NOT_FOUND")
        return _success("api.framework.read", {"framework": {"identifier": framework_id} | framework})

    def _template(self, name: str, _request: Request) -> Reply:
        svg = self._objects["templates"].get(name)
        if svg is None:
            return Reply(status=404, body=b"there is no such template", content_type="text/plain")
        return Reply(body=svg.encode("utf-8"), content_type="image/svg+xml")

    def _contents(self) -> list[dict[str, Any]]:
        with self._changes:
            contents = dict(self._objects["contents"])
        defaults = {"status": "Live", "objectType": "Collection"}
        return [defaults | {"identifier": key} | content for key, content in contents.items()]

    def _merge(self, kind: str, objects: Any) -> None:
        of = str if kind == "templates" else dict
        if kind not in _KINDS or not isinstance(objects, Mapping):
            raise ValueError(f"{kind!r} must be one of {', '.join(_KINDS)}, with an object of objects by id")
        wrong = [name for name, value in objects.items() if not isinstance(value, of)]
        if wrong:
            raise ValueError(f"{kind}: {wrong[0]!r} must be {'a text' if of is str else 'an object'}")
        with self._changes:
            self._objects[kind] = {**self._objects[kind], **objects}

    def _save(self) -> None:
        if self._data is None:
            return
        with self._changes:
            # Written beside and moved, so that a killed process leaves the old file or the new one.
            beside = self._data.with_suffix(".new")
            beside.write_text(json.dumps(self._objects), "utf-8")
            beside.replace(self._data)


_ROUTES = (
    ("GET", re.compile(r"/(?:learner|userorg)/private/user/v\d+/read/(?P<id>[^/]+)"), "user_read"),
    ("GET", re.compile(r"/content/content/v\d+/read/(?P<id>[^/]+)"), "content_read"),
    ("POST", re.compile(r"/search/v3/search"), "search"),
    ("POST", re.compile(r"/(?:learner|userorg)/v2/notification"), "notification"),
    ("POST", re.compile(r"/(?:learner|userorg)/private/user/feed/v1/create"), "feed"),
    ("GET", re.compile(r"/taxonomy/framework/v\d+/read/(?P<id>[^/]+)"), "framework_read"),
    ("GET", re.compile(r"/templates/(?P<id>[^/]+)"), "template"),
)


def _meets(hit: Mapping[str, Any], name: str, wanted: Any) -> bool:
    return hit.get(name) in (wanted if isinstance(wanted, list) else [wanted])


def _envelope(operation: str, code: str, error: str, result: Mapping[str, Any]) -> dict[str, Any]:
    params = {"resmsgid": str(uuid.uuid4()), "err": error or None, "status": "FAILED" if error else "SUCCESS"}
    moment = time.strftime("%Y-%m-%d %H:%M:%S:000+0000", time.gmtime())
    return {"id": operation, "ver": "v1", "ts": moment, "params": params, "responseCode": code, "result": result}


def _success(operation: str, result: Mapping[str, Any]) -> Reply:
    return json_reply(_envelope(operation, "OK", "", result))


def _failure(operation: str, status: int, code: str, error: str) -> Reply:
    return json_reply(_envelope(operation, code, error, {}), status)


def main() -> None:
    """Serve in a process of its own; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m lern_tasks.demo.platform.platform_api", description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="JSON file with users, contents and templates")
    parser.add_argument("--port", type=int, default=0, help="0: chosen by the system")
    add_parent_argument(parser)
    options = parser.parse_args()
    run_service(PlatformApi(options.data, port=options.port), options.parent_pid)


if __name__ == "__main__":
    main()
