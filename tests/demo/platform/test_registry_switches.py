"""The registry's bad days: what the client sees, and whether the change has happened."""

import threading
import time
from typing import Any

import httpx
import pytest

from lern_tasks.demo.platform.registry import Registry
from tests.demo.platform.test_registry import BODY


@pytest.fixture
def url(registry: Registry) -> str:
    return f"{registry.api_url}/TrainingCertificate"


def _put(client: httpx.Client, registry: Registry, **switches: Any) -> httpx.Response:
    return client.put(f"{registry.url}/_switches", json=switches)


@pytest.mark.parametrize(
    ("mode", "stored"), [("200", 1), ("201", 1), ("400", 0), ("500", 0), ("429", 0), ("500_after_commit", 1)]
)
def test_create_answers(client: httpx.Client, registry: Registry, url: str, mode: str, stored: int) -> None:
    assert _put(client, registry, create=mode).status_code == 200
    assert client.post(url, json=BODY).status_code == int(mode[:3])
    assert len(registry.entities()) == stored


@pytest.mark.parametrize(("mode", "stored"), [("timeout", 0), ("timeout_after_commit", 1)])
def test_creates_that_time_out(client: httpx.Client, registry: Registry, url: str, mode: str, stored: int) -> None:
    registry.switches.create = mode
    with pytest.raises(httpx.ReadTimeout):
        client.post(url, json=BODY, timeout=0.3)
    assert len(registry.entities()) == stored
    assert [each.status for each in registry.requests_to("POST", "/TrainingCertificate")] == [None]


@pytest.mark.parametrize(("mode", "stored"), [("drop", 0), ("drop_after_commit", 1)])
def test_creates_that_are_cut_off(client: httpx.Client, registry: Registry, url: str, mode: str, stored: int) -> None:
    registry.switches.create = mode
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(url, json=BODY)
    assert len(registry.entities()) == stored


@pytest.mark.parametrize(
    ("mode", "result"),
    [("no_osid", {"TrainingCertificate": {}}), ("blank_osid", {"TrainingCertificate": {"osid": ""}})],
)
def test_creates_that_name_no_id(
    client: httpx.Client, registry: Registry, url: str, mode: str, result: dict[str, Any]
) -> None:
    registry.switches.create = mode
    assert client.post(url, json=BODY).json()["result"] == result
    assert len(registry.entities()) == 1


def test_an_asynchronous_create_names_a_transaction(client: httpx.Client, registry: Registry, url: str) -> None:
    registry.switches.create = "transaction_id"
    assert list(client.post(url, json=BODY).json()["result"]) == ["transactionId"]


def test_a_fault_can_hold_for_some_requests_only(client: httpx.Client, registry: Registry, url: str) -> None:
    _put(client, registry, create="500", create_times=2)
    assert [client.post(url, json=BODY).status_code for _ in range(4)] == [500, 500, 200, 200]
    assert registry.switches.create == "200"


def test_searches(client: httpx.Client, registry: Registry, url: str) -> None:
    client.post(url, json=BODY)
    answers = {}
    for mode in ("array", "page", "empty", "blank_result"):
        registry.switches.search = mode
        answers[mode] = client.post(f"{url}/search", json={"filters": {}}).json()
    assert len(answers["array"]) == answers["page"]["totalCount"] == len(answers["page"]["data"]) == 1
    assert answers["empty"] == []
    assert answers["blank_result"]["result"] == ""
    registry.switches.search = "503"
    assert client.post(f"{url}/search", json={"filters": {}}).status_code == 503


def test_the_key_search_has_a_switch_of_its_own(client: httpx.Client, registry: Registry, url: str) -> None:
    client.post(url, json=BODY)
    registry.switches.key_search = "empty"
    assert client.post(f"{registry.api_url}/PublicKey/search", json={"filters": {}}).json() == []
    assert len(client.post(f"{url}/search", json={"filters": {}}).json()) == 1


def test_searches_lag_behind_creates(client: httpx.Client, registry: Registry, url: str) -> None:
    client.post(url, json=BODY)
    registry.switches.search_lag = 3600
    assert client.post(f"{url}/search", json={"filters": {}}).json() == []
    registry.switches.search_lag = 0
    assert len(client.post(f"{url}/search", json={"filters": {}}).json()) == 1


def test_an_index_without_nested_fields_finds_nothing_by_them(
    client: httpx.Client, registry: Registry, url: str
) -> None:
    client.post(url, json=BODY)
    registry.switches.dotted_paths = False
    assert client.post(f"{url}/search", json={"filters": {"recipient.id": {"eq": "u-42"}}}).json() == []
    assert len(client.post(f"{url}/search", json={"filters": {"oldId": {"eq": "1-old"}}}).json()) == 1


@pytest.mark.parametrize(("mode", "gone"), [("404", 0), ("500", 0), ("500_after_commit", 1)])
def test_deletes(client: httpx.Client, registry: Registry, url: str, mode: str, gone: int) -> None:
    osid = client.post(url, json=BODY).json()["result"]["TrainingCertificate"]["osid"]
    registry.switches.delete = mode
    assert client.delete(f"{url}/{osid}").status_code == int(mode[:3])
    assert len(registry.entities(deleted=True)) == gone


def test_an_api_key_is_wanted_on_create_only(client: httpx.Client, registry: Registry, url: str) -> None:
    registry.switches.api_key = "token"
    assert client.post(url, json=BODY).status_code == 401
    assert client.post(url, json=BODY, headers={"Authorization": "token"}).status_code == 200
    assert client.post(f"{url}/search", json={"filters": {}}).status_code == 200


def test_latency_delays_and_control_does_not_wait(client: httpx.Client, registry: Registry, url: str) -> None:
    registry.switches.latency = 0.3
    start = time.monotonic()
    client.post(url, json=BODY)
    assert time.monotonic() - start >= 0.3
    start = time.monotonic()
    client.get(f"{registry.url}/_health")
    assert time.monotonic() - start < 0.3


def test_refusing_closes_the_port_for_a_while(client: httpx.Client, registry: Registry, url: str) -> None:
    assert _put(client, registry, refuse_seconds=0.5).status_code == 200
    deadline = time.monotonic() + 20
    seen: list[bool] = []
    while seen[-2:] != [False, True]:
        assert time.monotonic() < deadline
        try:
            seen.append(client.post(url, json=BODY).status_code == 200)
        except httpx.TransportError:
            seen.append(False)


def test_stopped_is_refused_and_started_again_it_has_the_same_port(
    client: httpx.Client, registry: Registry, url: str
) -> None:
    client.post(url, json=BODY)
    registry.stop()
    with pytest.raises(httpx.ConnectError):
        client.post(url, json=BODY)
    registry.start()
    assert client.post(url, json=BODY).status_code == 200
    assert len(registry.entities()) == 2


def test_a_stop_cuts_a_request_that_waits(client: httpx.Client, registry: Registry, url: str) -> None:
    registry.switches.create = "timeout"
    failures: list[Exception] = []

    def wait() -> None:
        try:
            client.post(url, json=BODY, timeout=60)
        except httpx.HTTPError as error:
            failures.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    deadline = time.monotonic() + 20
    while not registry.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    registry.stop()
    waiting.join(20)
    assert len(failures) == 1


@pytest.mark.parametrize(
    "switches",
    [
        {"creat": "200"},
        {"create": "sometimes"},
        {"create": 500},
        {"latency": -1},
        {"latency": "1"},
        {"refuse_seconds": "x"},
    ],
)
def test_wrong_switches_are_named_and_change_nothing(
    client: httpx.Client, registry: Registry, switches: dict[str, Any]
) -> None:
    answer = _put(client, registry, search="empty", **switches)
    assert answer.status_code == 400
    assert next(iter(switches)) in answer.json()["error"]
    assert registry.switches.search == "auto"


def test_a_wrong_switch_in_process_is_an_error(registry: Registry) -> None:
    with pytest.raises(ValueError, match="create"):
        registry.switches.create = "sometimes"


def test_switches_are_shown_and_reset(client: httpx.Client, registry: Registry) -> None:
    registry.switches.create = "500"
    assert client.get(f"{registry.url}/_switches").json()["create"] == "500"
    assert client.delete(f"{registry.url}/_switches").json()["create"] == "200"


def test_requests_are_recorded_and_forgotten(client: httpx.Client, registry: Registry, url: str) -> None:
    client.post(url, json=BODY, headers={"Authorization": "token"})
    (recorded,) = client.get(f"{registry.url}/_requests").json()
    assert (recorded["method"], recorded["path"]) == ("POST", "/api/v1/TrainingCertificate")
    assert (recorded["body"], recorded["status"], recorded["headers"]["authorization"]) == (BODY, 200, "token")
    assert registry.requests[0].body == BODY
    client.delete(f"{registry.url}/_requests")
    assert registry.requests == []


def test_entities_are_listed_over_http(client: httpx.Client, registry: Registry, url: str) -> None:
    client.post(url, json=BODY)
    listed = client.get(f"{registry.url}/_entities").json()
    assert [each["entity"] for each in listed] == ["PublicKey", "TrainingCertificate"]


def test_many_clients_at_once_lose_nothing(registry: Registry, url: str) -> None:
    def issue() -> None:
        with httpx.Client(trust_env=False, timeout=30) as own:
            for _ in range(10):
                own.post(url, json=BODY).raise_for_status()

    threads = [threading.Thread(target=issue) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len({each.osid for each in registry.entities()}) == 80
