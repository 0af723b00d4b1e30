"""The one layer over HTTP: time limits, and what an answer means for a record. See docs/architecture.md, "Clients".

| answer | raises |
|---|---|
| connection refused, no such host, no connection in time; 502, 503, 504; a redirect | DependencyDown |
| no answer in time, connection lost, 408, 429 (Retry-After kept), other 5xx, a 200 that is not JSON | TransientError |
| other 4xx | RefusedByService |

With `write=True` (the request changes something and must not simply be repeated) whatever leaves open whether the
server has acted raises UnknownOutcome instead: no answer in time, connection lost, 408, every 5xx, an unusable 2xx.
"""

import ipaddress
import os
import re
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from lern_tasks.errors import (
    DependencyDown,
    InvalidEvent,
    RefusedByService,
    SettingsError,
    TransientError,
    UnknownOutcome,
)
from lern_tasks.settings.shared import HttpSettings

# What gateways answer when the service behind them is away.
_AWAY = (502, 503, 504)

# Nothing was sent: no connection came about, or the address is of no use.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

# Codes (`UOS_USRRED0006`, `ERR_BAD_REQUEST`), pointers to fields and names of fields that are missing: none of these is
# personal data, unlike the sentences around them.
_CODE = re.compile(r"^[A-Z][A-Z0-9_.]{2,63}$")
_FIELDS = re.compile(r"#/[A-Za-z0-9_/]{1,100}|required key \[\w{1,64}\]")


class Http:
    """One HTTP service. Its connections are opened at first use in each process; no redirect is followed.

    `name` is the dependency's name in errors, `base` its base URL. Raises SettingsError for a base that is no URL.
    """

    def __init__(
        self, name: str, base: str, settings: HttpSettings, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.name = name
        self._base = base.rstrip("/")
        parts = urlsplit(self._base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"the base path of {name} must begin with http:// or https:// and name a host: {base!r}"
            )
        self._loopback = _is_loopback(parts.hostname)
        self._settings = settings
        self._transport = transport
        self._opened: tuple[int, httpx.Client] | None = None

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send, check the status and return the parsed JSON of a 2xx answer; options as for `send`.

        Raises what the table above says.
        """
        return self.parsed(self.send(method, path, **options), write=options.get("write", False))

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        write: bool = False,
    ) -> httpx.Response:
        """Send a request to base + `path` (with its query) and return the answer, whatever its status.

        Raises what the table says of connections and times.
        """
        client = self._client()
        try:
            return client.request(method, f"{self._base}{path}", json=body, headers=headers)
        except _NOT_SENT as error:
            raise DependencyDown(self.name, f"{self.name} cannot be reached: {type(error).__name__}") from None
        except (httpx.InvalidURL, ValueError):
            raise InvalidEvent(
                f"the event holds what cannot be sent to {self.name}: half a character, or no number"
            ) from None
        except httpx.HTTPError as error:
            raise self._open_end(f"{self.name} gave no answer: {type(error).__name__}", write=write) from None

    def check(self, response: httpx.Response, *, write: bool = False) -> None:
        """Raise what the table above says of the status; nothing for 2xx."""
        status = response.status_code
        if response.is_success:
            return
        if status == 429:
            raise TransientError(f"{self.name} answers 429 (too many)", self.name, _retry_after(response))
        if status == 408 or (write and status >= 500):
            raise self._open_end(f"{self.name} answers {status}", write=write)
        if status in _AWAY:
            raise DependencyDown(self.name, f"{self.name} answers {status}")
        if status >= 500:
            raise TransientError(f"{self.name} answers {status}", self.name)
        if status < 400:
            raise DependencyDown(self.name, f"{self.name} answers {status} (redirect): check its base path")
        raise RefusedByService(f"{self.name} refuses with {status}{_reason(response)}")

    def parsed(self, response: httpx.Response, *, write: bool = False) -> Any:
        """Check the status and return the JSON of the answer."""
        self.check(response, write=write)
        try:
            return response.json()
        except ValueError:
            message = f"{self.name} answers {response.status_code} without JSON"
            raise self._open_end(message, write=write) from None

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers with something else than 502, 503, 504."""
        try:
            status = self.send("GET", "").status_code
        except TransientError as error:
            raise DependencyDown(self.name, str(error)) from None
        if status in _AWAY:
            raise DependencyDown(self.name, f"{self.name} answers {status}")

    def close(self) -> None:
        """Close the connections of this process."""
        opened, self._opened = self._opened, None
        if opened and opened[0] == os.getpid():
            opened[1].close()

    def _client(self) -> httpx.Client:
        if self._opened is None or self._opened[0] != os.getpid():
            read, connect = self._settings.read_timeout, self._settings.connect_timeout
            client = httpx.Client(
                timeout=httpx.Timeout(read, connect=connect),
                verify=_tls(),
                # A proxy of the environment is for the world outside, never for this machine.
                trust_env=not self._loopback,
                follow_redirects=False,
                headers={"Accept": "application/json", "Content-Type": "application/json"},
                transport=self._transport,
            )
            self._opened = (os.getpid(), client)
        return self._opened[1]

    def _open_end(self, message: str, *, write: bool) -> TransientError:
        return (UnknownOutcome if write else TransientError)(message, self.name)


@cache
def _tls() -> ssl.SSLContext:
    """One for all services: reading the CA certificates takes a tenth of a second."""
    return httpx.create_ssl_context()


def segment(value: str) -> str:
    """An id as one segment of a path. Raises InvalidEvent for one that would name another resource."""
    if not value.strip() or value in (".", ".."):
        raise InvalidEvent("an id is blank or no id")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise InvalidEvent("an id holds half a character") from None


def member(document: Any, *path: str) -> Any:
    """The member at `path` of parsed JSON; None where there is none."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, from either form of the header; None when it says nothing usable."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _reason(response: httpx.Response) -> str:
    """Codes and field names out of an error answer; never its sentences, which may quote what was sent."""
    try:
        answer = response.json()
    except ValueError:
        return ""
    places = (("params", "err"), ("params", "status"), ("responseCode",))
    codes = [code for place in places if isinstance(code := member(answer, *place), str) and _CODE.match(code)]
    words = member(answer, "params", "errmsg")
    fields = _FIELDS.findall(words)[:5] if isinstance(words, str) else []
    found = list(dict.fromkeys([*codes, *fields]))
    return f" ({', '.join(found)})" if found else ""
