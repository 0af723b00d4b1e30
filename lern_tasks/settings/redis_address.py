"""Redis addresses as operators write them: one parser for all roles, and Celery. See docs/operations.md, "Redis"."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

_PORT = 6379
_VERIFICATION = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
_TRUTH = {"true": True, "false": False}
_OPTIONS = (
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
    "ssl_cert_reqs",
    "ssl_check_hostname",
)
"""What an address may say behind `?`: all of it is about TLS. Time limits have a setting of their own."""

_FORM = "write redis://host:port/db, or rediss://host:port/db for TLS; : / ? # @ in a password as %3A %2F %3F %23 %40"
_REFUSED = {
    "sentinel": "Sentinel is not supported: give the address of something that follows the primary, such as HAProxy",
    "socket": "a Unix socket is not supported: let the server listen on 127.0.0.1 and write redis://127.0.0.1:6379",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """One server, and a database unless `db` is None. `login` is as in the URL, `options` those of TLS."""

    host: str
    port: int = _PORT
    db: int | None = None
    login: str = ""
    with_tls: bool = False
    options: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """The address as `redis.Redis.from_url` takes it."""
        return self.plain_url + (f"?{urlencode(self.options)}" if self.options else "")

    @property
    def plain_url(self) -> str:
        """The address without its options, as Celery takes it: see `tls`."""
        login = f"{self.login}@" if self.login else ""
        database = "" if self.db is None else f"/{self.db}"
        return f"redis{'s' if self.with_tls else ''}://{login}{self.server}{database}"

    @property
    def server(self) -> str:
        """`host:port`."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def tls(self) -> dict[str, Any] | None:
        """Celery's `..._use_ssl`; certificates are checked unless the address says otherwise. None without TLS."""
        if not self.with_tls:
            return None
        options: dict[str, Any] = {"ssl_cert_reqs": "required", **dict(self.options)}
        options["ssl_cert_reqs"] = _VERIFICATION[options["ssl_cert_reqs"]]
        if "ssl_check_hostname" in options:
            options["ssl_check_hostname"] = _TRUTH[options["ssl_check_hostname"]]
        return options

    def at(self, *, host: str | None = None, port: int | None = None, db: int | None = None) -> "RedisAddress":
        """The address with what is given in place of its own."""
        return replace(
            self,
            host=host or self.host,
            port=port or self.port,
            db=self.db if db is None else db,
        )


@lru_cache(maxsize=64)
def parsed(text: str) -> RedisAddress:
    """The address that `text` writes. Raises ValueError, which does not quote it: it may hold a password."""
    scheme = text.partition("://")[0].lower()
    for kind, sentence in _REFUSED.items():
        if kind in scheme or (scheme, kind) == ("unix", "socket"):
            raise ValueError(sentence)
    if scheme not in {"redis", "rediss"}:
        raise ValueError(_FORM)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError(f"its host or port cannot be read: {_FORM}") from None
    if url.fragment or any(mark in url.netloc.rpartition("@")[2] for mark in ",;"):
        raise ValueError(f"it is not the address of one server: {_FORM}")
    given = dict(parse_qsl(url.query, keep_blank_values=True))
    return RedisAddress(
        host=url.hostname or "localhost",
        port=port or _PORT,
        db=_database(given.pop("db", "") or url.path.removeprefix("/")),
        login=url.netloc.rpartition("@")[0],
        with_tls=scheme == "rediss",
        options=_options(given, with_tls=scheme == "rediss"),
    )


def _database(number: str) -> int | None:
    if number and not (number.isascii() and number.isdigit()):
        raise ValueError("what follows host and port is not the number of a database")
    return int(number) if number else None


def _options(given: Mapping[str, str], *, with_tls: bool) -> tuple[tuple[str, str], ...]:
    for name in given:
        if name not in _OPTIONS:
            # Of another form it may be the rest of a password whose `?` is not escaped.
            quoted = f"`?{name}=`" if re.fullmatch("[a-z_]{1,30}", name) else "one of the options behind `?`"
            raise ValueError(f"{quoted} is not known; there are {', '.join(_OPTIONS)}")
        if not with_tls:
            raise ValueError(f"`?{name}=` is for TLS: write rediss://")
    read = dict(given)
    if "ssl_cert_reqs" in read:
        read["ssl_cert_reqs"] = read["ssl_cert_reqs"].lower().removeprefix("cert_")
    for name, values in (("ssl_cert_reqs", _VERIFICATION), ("ssl_check_hostname", _TRUTH)):
        if name in read and read[name] not in values:
            raise ValueError(f"`?{name}=` is one of {', '.join(values)}")
    return tuple(read.items())
