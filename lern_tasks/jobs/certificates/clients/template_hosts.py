"""Where certificate templates may lie. See docs/jobs/collection_certificate_generator.md, "Hosts of templates".

Addresses of templates come from rows and events: whoever may write those must not make a worker ask this machine, or
the metadata service of its cloud.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel

from lern_tasks.errors import InvalidEvent
from lern_tasks.settings import Settings

Address = IPv4Address | IPv6Address

_FIELD = "edata.svgTemplate"

_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
"""Where clouds answer with an instance's secrets, beside 169.254.169.254, which is link-local."""

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateHosts:
    """`listed` is LERN_HTTP__ALLOWED_HOSTS, `own` host and port of configured services and stores.

    `private`: other hosts of private networks are allowed too.
    """

    listed: frozenset[str] = frozenset()
    own: frozenset[tuple[str, int]] = frozenset()
    private: bool = True

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the settings say; a default address is no configured service."""
        own = frozenset(place for url in _configured(settings) if (place := place_of(url)))
        listed = frozenset(host.lower() for host in settings.http.allowed_hosts)
        return cls(listed=listed, own=own, private=settings.http.private_hosts)

    def is_own(self, host: str, port: int) -> bool:
        """Whether it is the installation's: then an outage of it is no template's fault."""
        return host in self.listed or (host, port) in self.own

    def check(self, url: str) -> None:
        """Raise InvalidEvent for a host that is refused whatever its name leads to."""
        host, port = place_of(url) or ("", 0)
        if self.listed and host not in self.listed:
            raise InvalidEvent(
                f"{_FIELD} points to a host that is not in LERN_HTTP__ALLOWED_HOSTS; "
                "add it there, or mend the template",
                _FIELD,
            )
        address = _literal(host)
        if address is not None:
            self.admit(host, port, address)

    def admit(self, host: str, port: int, address: Address) -> None:
        """Raise InvalidEvent unless a template may be read from `address`, to which the name `host` leads."""
        fault = self.fault(host, port, address)
        if fault:
            raise InvalidEvent(f"{_FIELD} points to {fault}; store the template where the public reads it", _FIELD)

    def fault(self, host: str, port: int, address: Address) -> str:
        """What is wrong with an address, empty for nothing.

        On this machine each port is another service; elsewhere the name of a service of ours is enough.
        """
        address = getattr(address, "ipv4_mapped", None) or address
        if self.is_own(host, port):
            return ""
        if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
            return "the worker's own machine or link"
        if address in _METADATA:
            return "the metadata service of a cloud"
        if not self.private and self.is_private(host, port, address):
            return "a private network, which LERN_HTTP__PRIVATE_HOSTS=false refuses"
        return ""

    def is_private(self, host: str, port: int, address: Address) -> bool:
        """Whether an address is of a private network, and not one of ours."""
        ours = self.is_own(host, port) or any(host == name for name, _ in self.own)
        return not ours and not address.is_global


def place_of(url: str) -> tuple[str, int] | None:
    """Host and port of an http address; None for what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def _literal(host: str) -> Address | None:
    """The address that a host is written as; None for a name that must be asked for."""
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host)
    except ValueError:
        return None


def _configured(settings: Settings) -> Iterator[str]:
    """The http addresses that somebody has set."""
    for scope in (getattr(settings, name) for name in type(settings).model_fields):
        if isinstance(scope, BaseModel):
            for name in scope.model_fields_set:
                value = getattr(scope, name)
                if name == "cert_cloud_storage_endpoint" and value and "://" not in value:
                    yield f"https://{value}"
                elif isinstance(value, str) and value.startswith(("http://", "https://")):
                    yield value
