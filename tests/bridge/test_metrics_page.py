"""The page of the counters: to this machine alone unless told otherwise, and nothing beside it."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from bridge import metrics_page
from lern_tasks.errors import SettingsError
from lern_tasks.metrics import count
from lern_tasks.settings import Settings


@pytest.fixture
def address() -> Iterator[str]:
    server = metrics_page.serve(Settings().bridge.metrics_host, 0)
    host, port = server.server_address[:2]
    assert host == "127.0.0.1"
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def test_the_counters(address: str) -> None:
    count("bridge-records", 1, job="the-metrics-page")
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as page:
        assert 'lern_events_total{job="the-metrics-page",name="bridge-records"} 1.0' in page.read().decode()


@pytest.mark.parametrize("path", ["/healthz", "/", "/metrics/x", "/favicon.ico"])
def test_other_paths_are_not_there(address: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(address + path, timeout=30)
    assert answer.value.code == 404
    answer.value.close()


@pytest.mark.parametrize(("host", "port"), [("203.0.113.1", 0), ("127.0.0.1", 99_999)])
def test_where_nothing_can_listen_the_setting_is_named(host: str, port: int) -> None:
    with pytest.raises(SettingsError, match="LERN_BRIDGE__METRICS_PORT"):
        metrics_page.serve(host, port)
