"""SVG templates of certificates, downloaded from where they are stored.

See docs/jobs/collection_certificate_generator.md, "Document".
"""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http
from lern_tasks.connections.ttl_cache import TtlCache
from lern_tasks.errors import DependencyDown, InvalidEvent, RefusedByService, SettingsError, TransientError
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings

_KEPT = 15
"""Templates that a process remembers, as the Flink job: some hundred kilobytes each."""

_HEADERS: Final[Mapping[str, str]] = {"Accept": "image/svg+xml, */*"}


class TemplateClient:
    """`hosts` are the installation's own, where an outage is no template's fault. `expiry`: seconds of the cache."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        http: HttpSettings,
        expiry: float = 300.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._hosts = frozenset(hosts)
        self._settings = http
        self._transport = transport
        self._cache = TtlCache(expiry, most=_KEPT)
        self._away = ""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the generator's settings describe."""
        job = settings.collection_certificate_generator
        hosts = [*settings.http.allowed_hosts, urlsplit(job.cloud_storage.base).hostname or ""]
        return cls(hosts, http=settings.http, expiry=job.template_expiry)

    def read(self, url: str) -> str:
        """The template at `url`.

        No redirect is followed: it could lead to a host that is not allowed. Raises InvalidEvent for an address that is
        none, RefusedByService when there is no SVG, DependencyDown when our own storage is away, else TransientError.
        """
        return self._cache.get(url, lambda: self._download(url))

    def ping(self) -> None:
        """Raise DependencyDown unless the storage that was away answers."""
        if self._away:
            self._http(self._away).ping()

    def close(self) -> None:
        """Nothing is kept open: downloads are rare."""

    def _download(self, url: str) -> str:
        try:
            parts = urlsplit(url)
            origin = f"{parts.scheme}://{parts.netloc}"
            http = self._http(origin)
        except (ValueError, SettingsError):
            raise InvalidEvent("edata.svgTemplate is no http address; mend the template", "edata.svgTemplate") from None
        try:
            # Foreign hosts share nothing: that one is away says nothing of the others.
            with operation("templates", parts.hostname) if parts.hostname in self._hosts else nullcontext():
                response = http.send("GET", urlunsplit(("", "", parts.path, parts.query, "")), headers=_HEADERS)
                if 300 <= response.status_code < 400:
                    raise RefusedByService("the address of the template redirects; store the one that it leads to")
                http.check(response)
        except DependencyDown as error:
            if parts.hostname not in self._hosts:
                # A misspelt host must not wait for a day, and its worker with it.
                raise TransientError(str(error)) from None
            self._away = origin
            raise
        finally:
            http.close()
        return _svg(response.content)

    def _http(self, origin: str) -> Http:
        return Http("templates", origin, self._settings, transport=self._transport)


def _svg(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedByService("the template is not UTF-8; store it again") from None
    if "<svg" not in text:
        raise RefusedByService("the template's address shows no SVG; mend the template")
    return text
