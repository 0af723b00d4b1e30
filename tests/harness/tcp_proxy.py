"""A TCP relay in front of a server, to take the server away from its clients without touching it."""

import socket
import threading
from contextlib import suppress

_PIECE = 65_536


class TcpProxy:
    """Relays 127.0.0.1:port to `target` ("host:port"); can go away and come back, or fall silent."""

    def __init__(self, target: str, *, bind: str = "127.0.0.1", at: int = 0) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._sockets: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._audible = threading.Event()
        self._audible.set()
        self._bind = bind
        self.port = at
        self.connections = 0
        self.first_bytes: list[int] = []
        """What each connection's client began with: 22 is a TLS handshake."""

    @property
    def address(self) -> str:
        """`127.0.0.1:port`: the same after it was away."""
        return f"{self._bind}:{self.port}"

    def start(self) -> None:
        """Listen; at the first time on a free port."""
        self._listener = socket.create_server((self._bind, self.port), reuse_port=False)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Close every connection, and refuse new ones."""
        self._audible.set()
        if self._listener is not None:
            # Shutdown wakes the thread that waits in accept; close alone would not.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._sockets.clear()

    def fall_silent(self) -> None:
        """Keep the connections, and pass nothing on."""
        self._audible.clear()

    def speak(self) -> None:
        """Pass on again, also what was kept back."""
        self._audible.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(self._target, timeout=5)
            server.settimeout(None)
            self._sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._relay, args=(source, sink, source is client), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, is_first: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if is_first:
                    self.first_bytes.append(piece[0])
                    is_first = False
                self._audible.wait()
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
