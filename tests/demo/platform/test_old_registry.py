"""The embedded old registry keeps rows as the real one does, and fails as it is told."""

import json
from typing import Any

import httpx
import pytest

from lern_tasks.demo.platform.old_registry import OldRegistry
from tests.demo.conftest import StartChild
from tests.jobs.certificates.clients.test_old_registry import body

ADD = "/certreg/certs/v2/registry/add"


def test_a_row_is_as_the_real_one_writes_it(client: httpx.Client) -> None:
    with OldRegistry() as old:
        assert client.post(f"{old.url}{ADD}", json=body()).json()["responseCode"] == "OK"
        row = client.get(f"{old.registry_url}/certs/v1/registry/read/c2").json()["result"]["response"]
        assert client.get(f"{old.url}/_rows").json() == {"c2": row}
    assert {name: row[name] for name in ("id", "accesscode", "jsonurl", "isrevoked")} == {
        "id": "c2",
        "accesscode": "A2B3C4",
        "jsonurl": "https://dev.sunbirded.org/certs/0139/c2.json",
        "isrevoked": False,
    }
    assert json.loads(row["data"]) == {"id": "x"}
    assert json.loads(row["recipient"]) == {"id": "u-42", "name": "Asha Rao", "type": None}
    assert json.loads(row["related"])["batchId"] == "0139"


@pytest.mark.parametrize(
    "wrong", [{"id": ""}, {"accessCode": None}, {"jsonUrl": 5}, {"jsonData": {}}, {"related": {}}, {"related": None}]
)
def test_what_the_real_one_refuses(client: httpx.Client, wrong: dict[str, Any]) -> None:
    with OldRegistry() as old:
        assert client.post(f"{old.url}{ADD}", json=body(**wrong)).status_code == 400
        assert old.rows == {}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"request": 5}', b"\xff"])
def test_what_is_no_request(client: httpx.Client, content: bytes) -> None:
    with OldRegistry() as old:
        assert client.post(f"{old.url}{ADD}", content=content).status_code == 400


def test_a_fault_holds_for_as_many_requests_as_are_said(client: httpx.Client) -> None:
    with OldRegistry() as old:
        client.put(f"{old.url}/_switches", json={"add": "500_after_commit", "add_times": 1}).raise_for_status()
        assert client.post(f"{old.url}{ADD}", json=body()).status_code == 500
        assert client.post(f"{old.url}{ADD}", json=body()).status_code == 400
        assert old.rows.keys() == {"c2"}
        assert client.get(f"{old.url}/certreg/nothing").status_code == 404


def test_as_a_process_of_its_own(client: httpx.Client, start_child: StartChild) -> None:
    _, report = start_child("platform.old_registry")
    assert client.post(f"{report['url']}/enc/sign/7", json={"entity": {}}).json()["signatureValue"]
