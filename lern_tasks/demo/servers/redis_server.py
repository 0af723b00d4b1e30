"""fakeredis behind a socket, repaired where its own TCP server differs from Redis.

Its own closes the connection after every error reply (so a pipeline loses what follows, and `EVALSHA` of an unknown
script costs a reconnect), fails on a reply larger than the socket's buffer, and lets a client that died in `BRPOP` take
an element with it. See docs/architecture.md, section "Embedded".
"""

import queue
import select
import socket
import threading
from typing import Any

from fakeredis import FakeRedis, FakeServer, TcpFakeServer
from fakeredis._clients._tcp_server import TCPFakeRequestHandler, encode_reply
from fakeredis._helpers import SimpleError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from lern_tasks.demo.servers.redis_frames import CommandFrames

_READ_BYTES = 65536
# A stop is noticed after this; twice a second per idle connection costs nothing.
_IDLE_MS = 500
# Messages for a subscriber come from other threads; this is how long one may wait.
_SUBSCRIBED_MS = 10
# A client that died in BRPOP is let go after this at most.
_WATCH_SECONDS = 0.01
_SUBSCRIBING = (b"subscribe", b"psubscribe", b"ssubscribe")


class RedisTcpServer(TcpFakeServer):
    """Listens on 127.0.0.1, port 0 for one that the system chooses, and serves what `memory` keeps."""

    # The default of 5 refuses connections of a worker pool that starts.
    request_queue_size = 128

    def __init__(self, port: int, memory: FakeServer) -> None:
        super().__init__(("127.0.0.1", port), server_type=memory.server_type, server_version=memory.version)
        self.RequestHandlerClass = _Connection
        self.fake_server = memory
        self.daemon_threads = True
        self.block_on_close = False
        self.open: set[_Connection] = set()
        self.at_work: set[_Connection] = set()
        threading.Thread(target=self._release_the_dead, name="redis-watch", daemon=True).start()

    def sever(self) -> None:
        """Close the connections that clients keep open."""
        for each in tuple(self.open):
            each.cut()

    def _release_the_dead(self) -> None:
        control = FakeRedis(server=self.fake_server)
        while not self._shutdown_event.wait(_WATCH_SECONDS):
            for each in tuple(self.at_work):
                if each.is_dead():
                    control.client_unblock(each.client_id)


class _Connection(TCPFakeRequestHandler):
    server: RedisTcpServer
    # With Nagle's algorithm each MULTI or pipeline waits 40 ms for the client's acknowledgement.
    disable_nagle_algorithm = True
    client_id = 0

    def handle(self) -> None:
        """Execute what comes, until the client leaves or the server stops."""
        client = self.current_client
        client.connect()
        client.send_command("CLIENT", "ID")  # type: ignore[no-untyped-call]
        self.client_id = client.read_response()
        self._subscribed = False
        self._frames = CommandFrames()
        self.server.open.add(self)
        try:
            self._serve()
        except (ConnectionError, RedisConnectionError):
            # The peer went away, or was ended by CLIENT KILL: nobody is left to be told.
            return
        except SimpleError as error:
            # Not the protocol: as Redis does, say so and close.
            self._send(encode_reply(error, self.protocol_version))
        finally:
            self.server.open.discard(self)

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        while not self.server._shutdown_event.is_set():  # noqa: SLF001 - the base class's, and it has no other
            self._reply()
            if not poll.poll(_SUBSCRIBED_MS if self._subscribed else _IDLE_MS):
                continue
            data = self.connection.recv(_READ_BYTES)
            if not data:
                return
            self._execute(data)

    def _execute(self, data: bytes) -> None:
        for piece in self._frames.feed(data):
            self.server.at_work.add(self)
            try:
                self.current_client.get_socket().sendall(piece)
            finally:
                self.server.at_work.discard(self)
            self._reply()

    def _reply(self) -> None:
        responses: queue.Queue[Any] | None = self.current_client.get_socket().responses
        while responses is not None and not responses.empty():
            try:
                value = self.current_client.read_response()
            except RedisError as error:
                value = error
            if isinstance(value, list) and value and value[0] in _SUBSCRIBING:
                self._subscribed = True
            self._send(encode_reply(value, self.protocol_version))

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.connection.send(rest) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(self.connection, select.POLLOUT)
                poll.poll(_IDLE_MS)

    def is_dead(self) -> bool:
        """Whether the client has closed its end while its command runs."""
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def cut(self) -> None:
        """Close the connection under the client."""
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.server.open.discard(self)
