"""Connections of the HTTP clients: with an end, to addresses that are admitted. See docs/architecture.md, "Clients"."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import httpcore
import httpx

_AT_ONCE = 16 * 1024
"""Bytes read at once: a compressed answer can be a thousand times as long, and is looked at after each."""


Admits = Callable[[str, int, IPv4Address | IPv6Address], None]
"""Raises LernError unless we may connect to the address, to which a host's name (and port) leads."""


class Network(httpcore.SyncBackend):
    """TCP. Every answer has its time, set by `begin`, however slowly its bytes come.

    With `admits` a name is resolved here, and what is connected to is the very address that was admitted.
    """

    def __init__(self, admits: Admits | None = None) -> None:
        self._admits = admits
        self._until = 0.0

    def begin(self, seconds: float) -> None:
        """The answer that is waited for next must be whole within these seconds."""
        self._until = time.monotonic() + seconds

    def left(self, timeout: float | None) -> float:
        """Seconds to wait for the next bytes. Raises httpcore.ReadTimeout when the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole answer took too long")
        return left if timeout is None else min(left, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """See httpcore. Raises what `admits` raises."""
        failed: Exception = httpcore.ConnectError("the name leads nowhere")
        for address in self._addresses(host, port):
            try:
                stream = super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Timed(stream, self)
        raise failed

    def _addresses(self, host: str, port: int) -> list[str]:
        if self._admits is None:
            return [host]
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            self._admits(host, port, ip_address(address))
        return addresses


class _Timed(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, network: Network) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(min(max_bytes, _AT_ONCE), self._network.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, timeout), self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Transport(httpx.HTTPTransport):
    """HTTP over `network`; `proxy` is a proxy's URL."""

    def __init__(self, network: Network, *, tls: ssl.SSLContext, proxy: str | None) -> None:
        super().__init__(verify=tls, proxy=proxy)
        self._pool._network_backend = network  # noqa: SLF001 (httpx has no public way to it)
