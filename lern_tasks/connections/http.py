"""The one layer over HTTP: time limits, and what an answer means for a record. See docs/architecture.md, "Clients".

| answer | raises |
|---|---|
| connection refused, no such host, no connection in time; 502, 503, 504; a redirect | DependencyDown |
| no answer in time, connection lost, 408, 429 (Retry-After kept), other 5xx, a 2xx that is not JSON | TransientError |
| a 2xx that is larger than LERN_HTTP__MAX_ANSWER_BYTES, or JSON of more levels than are read | TransientError |
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
from urllib.request import getproxies, proxy_bypass

import httpx

from lern_tasks.connections.http_network import Admits, Network, Transport
from lern_tasks.connections.json_values import check_depth
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

_ENCODINGS = ("", "identity", "gzip", "deflate")
"""What is read. Others, and several within each other, can be millions of times as long as what comes."""

_OF_THE_COMING = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that say how a body came, and nothing of what it is."""

# Codes (`UOS_USRRED0006`, `ERR_BAD_REQUEST`), pointers to fields and names of fields that are missing: none of these is
# personal data, unlike the sentences around them.
_CODE = re.compile(r"^[A-Z][A-Z0-9_.]{2,63}$")
_FIELDS = re.compile(r"#/[A-Za-z0-9_/]{1,100}|required key \[\w{1,64}\]")


_HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}


class Http:
    """One HTTP service. Its connections are opened at first use in each process; no redirect is followed.

    `name` is the dependency's name in errors, `base` its base URL; `admits` judges the addresses of a host that is not
    of the settings. Raises SettingsError for a base that is no URL.
    """

    def __init__(
        self,
        name: str,
        base: str,
        settings: HttpSettings,
        *,
        admits: Admits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self._base = base.rstrip("/")
        parts = urlsplit(self._base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"the base path of {name} must begin with http:// or https:// and name a host: {base!r}"
            )
        self._scheme, self._host = parts.scheme, parts.hostname
        # What a proxy connects to is the proxy's to judge.
        self._network = Network(admits if self._proxy() is None else None)
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
            request = client.build_request(method, f"{self._base}{path}", json=body, headers=headers)
            self._network.begin(self._settings.answer_timeout)
            return self._whole(client.send(request, stream=True))
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
            if self.is_too_large(response):
                most = f"{self._settings.max_answer_bytes} bytes (LERN_HTTP__MAX_ANSWER_BYTES)"
                raise self._open_end(f"{self.name} answers with more than {most}", write=write)
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
            return json_of(response)
        except ValueError:
            message = f"{self.name} answers {response.status_code} without JSON"
            raise self._open_end(message, write=write) from None

    def result(self, answer: Any) -> dict[str, Any]:
        """`result` of the answer to a read. Raises TransientError for JSON that is no answer of the platform's."""
        found = member(answer, "result")
        if not isinstance(found, dict):
            raise TransientError(f"{self.name} answers JSON without result", self.name)
        return found

    def is_too_large(self, response: httpx.Response) -> bool:
        """Whether the body of an answer was cut off."""
        return len(response.content) > self._settings.max_answer_bytes

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
                trust_env=False,
                follow_redirects=False,
                headers=_HEADERS,
                transport=self._transport or Transport(self._network, tls=_tls(), proxy=self._proxy()),
            )
            self._opened = (os.getpid(), client)
        return self._opened[1]

    def _proxy(self) -> str | None:
        """The proxy of the environment: for the world outside, never for this machine."""
        if _is_loopback(self._host) or proxy_bypass(self._host):
            return None
        proxies = getproxies()
        found = proxies.get(self._scheme) or proxies.get("all")
        return f"http://{found}" if found and "://" not in found else found

    def _whole(self, response: httpx.Response) -> httpx.Response:
        """The answer with its body, cut off behind the size that is read."""
        body, most = bytearray(), self._settings.max_answer_bytes
        try:
            if response.headers.get("Content-Encoding", "").lower() not in _ENCODINGS:
                raise httpx.DecodingError("an encoding that was not asked for")
            for piece in response.iter_bytes():
                body += piece
                if len(body) > most:
                    break
        finally:
            response.close()
        kept = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_COMING]
        return httpx.Response(response.status_code, headers=kept, content=bytes(body[: most + 1]))

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


def json_of(response: httpx.Response) -> Any:
    """The JSON of an answer. Raises ValueError for what is none, and for more levels than are read."""
    try:
        value = response.json()
        check_depth(response.content, value)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


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
        answer = json_of(response)
    except ValueError:
        return ""
    places = (("params", "err"), ("params", "status"), ("responseCode",))
    codes = [code for place in places if isinstance(code := member(answer, *place), str) and _CODE.match(code)]
    words = member(answer, "params", "errmsg")
    fields = _FIELDS.findall(words)[:5] if isinstance(words, str) else []
    found = list(dict.fromkeys([*codes, *fields]))
    return f" ({', '.join(found)})" if found else ""
