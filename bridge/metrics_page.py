"""The page of the counters, `/metrics`, and no other. See docs/operations.md, "Counters"."""

import threading
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

from prometheus_client import MetricsHandler

from lern_tasks.errors import SettingsError


class _MetricsPage(MetricsHandler):
    """Answers 404 where it knows nothing: a check of `/healthz` that always succeeds would be worse than none."""

    def do_GET(self) -> None:  # noqa: N802 (the library's name)
        if urlsplit(self.path).path == "/metrics":
            super().do_GET()
        else:
            self.send_error(404)


def serve(host: str, port: int) -> ThreadingHTTPServer:
    """Serve the page in a thread of its own. Raises SettingsError when nothing can listen there."""
    try:
        server = ThreadingHTTPServer((host, port), _MetricsPage)
    except (OSError, OverflowError) as error:
        where = f"{host}:{port}"
        raise SettingsError(
            f"LERN_BRIDGE__METRICS_PORT and LERN_BRIDGE__METRICS_HOST: cannot serve metrics at {where}: {error}"
        ) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
