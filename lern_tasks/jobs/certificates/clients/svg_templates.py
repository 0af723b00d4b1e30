"""SVG templates of certificates, downloaded from where they are stored.

See docs/jobs/collection_certificate_generator.md, "Document".
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http
from lern_tasks.connections.ttl_cache import TtlCache
from lern_tasks.errors import DependencyDown, InvalidEvent, RefusedByService, SettingsError, TransientError
from lern_tasks.jobs.certificates.clients.certificate_files import content_in_container
from lern_tasks.jobs.certificates.clients.template_hosts import TemplateHosts, place_of
from lern_tasks.jobs.certificates.rules.svg_template import svg_fault
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings

_KEPT = 15
"""Templates that a process remembers, as the Flink job: some hundred kilobytes each."""

_HEADERS: Final[Mapping[str, str]] = {"Accept": "image/svg+xml, */*"}


class TemplateClient:
    """`hosts` says where templates may lie. `expiry`: seconds of the cache.

    `kept` gives the content of an address in the container of certificates, None for other addresses.
    """

    def __init__(
        self,
        hosts: TemplateHosts,
        *,
        http: HttpSettings,
        expiry: float = 300.0,
        kept: Callable[[str], bytes | None] = lambda _: None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._hosts = hosts
        self._settings = http
        self._transport = transport
        self._kept = kept
        self._cache = TtlCache(expiry, most=_KEPT)
        self._away = ""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the generator's settings describe."""
        expiry = settings.collection_certificate_generator.template_expiry
        kept = partial(content_in_container, settings=settings)
        return cls(TemplateHosts.from_settings(settings), http=settings.http, expiry=expiry, kept=kept)

    def read(self, url: str) -> str:
        """The template at `url`.

        No redirect is followed: it could lead to a host that is not allowed. Raises InvalidEvent for an address that is
        none or is refused, RefusedByService when there is no SVG, DependencyDown when our own storage is away, else
        TransientError.
        """
        return self._cache.get(url, lambda: self._svg(url))

    def ping(self) -> None:
        """Raise DependencyDown unless the storage that was away answers."""
        if self._away:
            self._http(self._away).ping()

    def close(self) -> None:
        """Nothing is kept open: downloads are rare."""

    def _svg(self, url: str) -> str:
        content = self._kept(url)
        if content is None:
            content = self._download(url)
        if len(content) > self._settings.max_answer_bytes:
            raise RefusedByService("the template is larger than LERN_HTTP__MAX_ANSWER_BYTES; make it smaller")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise RefusedByService("the template is not UTF-8; store it again") from None
        fault = svg_fault(text)
        if fault:
            raise RefusedByService(f"the template's address shows no SVG: {fault}; mend the template")
        return text

    def _download(self, url: str) -> bytes:
        try:
            parts = urlsplit(url)
            origin = f"{parts.scheme}://{parts.netloc}"
            http = self._http(origin)
            host, port = place_of(url) or ("", 0)
            own = self._hosts.is_own(host, port)
        except (ValueError, SettingsError):
            raise InvalidEvent("edata.svgTemplate is no http address; mend the template", "edata.svgTemplate") from None
        try:
            # Foreign hosts share nothing: that one is away says nothing of the others.
            with operation("templates", f"{host}:{port}") if own else nullcontext():
                response = http.send("GET", urlunsplit(("", "", parts.path, parts.query, "")), headers=_HEADERS)
                if 300 <= response.status_code < 400:
                    raise RefusedByService("the address of the template redirects; store the one that it leads to")
                if not http.is_too_large(response):
                    http.check(response)
        except (DependencyDown, TransientError) as error:
            if not own:
                # Somebody else's host, or one misspelt, must not wait for a day, and its worker with it.
                raise TransientError(str(error)) from None
            self._away = origin
            raise
        finally:
            http.close()
        return response.content

    def _http(self, origin: str) -> Http:
        return Http("templates", origin, self._settings, admits=self._hosts.admit, transport=self._transport)
