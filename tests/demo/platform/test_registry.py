"""The registry against the description of Sunbird RC: answers, ids, search, withdrawal."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lern_tasks.demo.platform.registry import Registry
from lern_tasks.demo.platform.registry_switches import RegistrySwitches

BODY: dict[str, Any] = {
    "certificateLabel": "Course Merit",
    "status": "ACTIVE",
    "templateUrl": "https://obj.example/merit.svg",
    "training": {"id": "do_9001", "name": "Fractions 101", "type": "Course", "batchId": "0139"},
    "recipient": {"id": "u-42", "name": "Asha Rao"},
    "issuer": {"url": "https://council.example/", "name": "State Council", "kid": "1-key"},
    "signatory": [{"name": "R. Iyer", "id": "CEO", "designation": "CEO", "image": "https://cdn.example/sign.png"}],
    "oldId": "1-old",
}


class Api:
    """A client of the registry's API."""

    def __init__(self, client: httpx.Client, registry: Registry) -> None:
        self._client = client
        self._registry = registry

    def create(self, body: Any = None, entity: str = "TrainingCertificate", **more: Any) -> httpx.Response:
        return self._client.post(f"{self._registry.api_url}/{entity}", json=BODY if body is None else body, **more)

    def issue(self, **changes: Any) -> str:
        osid = self.create({**BODY, **changes}).json()["result"]["TrainingCertificate"]["osid"]
        assert isinstance(osid, str)
        return osid

    def read(self, osid: str, accept: str = "application/json", **headers: str) -> httpx.Response:
        return self._client.get(self._path(osid), headers={"Accept": accept, **headers})

    def delete(self, osid: str) -> httpx.Response:
        return self._client.delete(self._path(osid))

    def revoke(self, osid: str) -> httpx.Response:
        return self._client.post(f"{self._path(osid)}/revoke")

    def search(self, body: Any, entity: str = "TrainingCertificate") -> httpx.Response:
        return self._client.post(f"{self._registry.api_url}/{entity}/search", json=body)

    def found(self, **filters: Any) -> list[str]:
        return [each["osid"] for each in self.search({"filters": filters}).json()]

    def _path(self, osid: str) -> str:
        return f"{self._registry.api_url}/TrainingCertificate/{osid}"


@pytest.fixture
def api(client: httpx.Client, registry: Registry) -> Api:
    return Api(client, registry)


@pytest.fixture
def newer(client: httpx.Client) -> Iterator[Api]:
    with Registry(switches=RegistrySwitches(release="2")) as running:
        yield Api(client, running)


def test_a_create_answers_with_envelope_and_id(api: Api, registry: Registry) -> None:
    answer = api.create()
    envelope = answer.json()
    assert answer.status_code == 200
    assert (envelope["id"], envelope["ver"], envelope["responseCode"]) == ("sunbird-rc.registry.create", "1.0", "OK")
    assert envelope["params"]["status"] == "SUCCESSFUL"
    assert isinstance(envelope["ets"], int)
    osid = envelope["result"]["TrainingCertificate"]["osid"]
    assert osid.startswith("1-")
    (stored,) = registry.entities()
    assert (stored.osid, stored.document["oldId"]) == (osid, "1-old")


def test_the_newer_release_names_its_operation_post(newer: Api) -> None:
    assert newer.create().json()["id"] == "sunbird-rc.registry.post"


def test_a_second_certificate_for_the_same_learner_is_not_refused(api: Api, registry: Registry) -> None:
    assert api.issue() != api.issue()
    assert len(registry.entities()) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipient": None}, "recipient"),
        ({"recipient": {"name": "x"}}, "[id]"),
        ({"training": {"id": "do_1"}}, "[type]"),
        ({"issuer": {"url": "https://x.example"}}, "[name]"),
        ({"status": "GONE"}, "status"),
        ({"signatory": {"name": "x"}}, "signatory"),
        ({"certificateLabel": 5}, "certificateLabel"),
        ({"training": {"id": 7, "type": "Course"}}, "training/id"),
    ],
)
def test_what_the_schema_forbids_is_refused(api: Api, registry: Registry, changes: Any, said: str) -> None:
    answer = api.create({**BODY, **changes})
    assert answer.status_code == 400
    assert answer.json()["params"]["status"] == "UNSUCCESSFUL"
    assert said in answer.json()["params"]["errmsg"]
    assert registry.entities() == []


@pytest.mark.parametrize("missing", ["recipient", "training"])
def test_required_members_are_required(api: Api, missing: str) -> None:
    assert api.create({name: value for name, value in BODY.items() if name != missing}).status_code == 400


def test_an_empty_signatory_list_is_accepted(api: Api) -> None:
    assert api.create({**BODY, "signatory": []}).status_code == 200


def test_a_body_that_is_no_json_is_refused(client: httpx.Client, registry: Registry) -> None:
    assert client.post(f"{registry.api_url}/TrainingCertificate", content=b"\xff{").status_code == 400


def test_an_unknown_entity_is_not_found(api: Api) -> None:
    answer = api.create(entity="Diploma")
    assert answer.status_code == 404
    assert answer.json()["params"]["errmsg"] == "Schema 'Diploma' not found"
    assert answer.json()["responseCode"] == "ERROR"


def test_a_read_gives_the_bare_entity(api: Api) -> None:
    osid = api.issue()
    entity = api.read(osid).json()
    assert entity["osid"] == osid
    assert {"osOwner", "osCreatedAt", "osCreatedBy", "osUpdatedAt", "osUpdatedBy"} <= set(entity)
    assert entity["recipient"]["name"] == "Asha Rao"
    assert entity["recipient"]["osid"].startswith("1-")
    assert entity["signatory"][0]["osid"].startswith("1-")
    assert json.loads(entity["_osSignedData"])["id"] == f"did:sunbird:{osid}"


def test_a_read_as_credential(api: Api) -> None:
    osid = api.issue()
    credential = api.read(osid, "application/vc+ld+json").json()
    assert credential["id"] == f"did:sunbird:{osid}"
    assert credential["issuanceDate"] == api.read(osid).json()["osCreatedAt"]
    assert credential["credentialSubject"] == {
        "type": "Course Merit",
        "recipientName": "Asha Rao",
        "trainingName": "Fractions 101",
        "trainingId": "do_9001",
    }
    assert credential["issuer"] == {"name": "State Council", "url": "https://council.example/", "publicKey": ["1-key"]}


@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 404), ("application/vc+ld+json", 404), ("image/svg+xml", 400), ("application/pdf", 400)],
)
def test_a_read_of_what_is_not_there(api: Api, accept: str, status: int) -> None:
    answer = api.read("1-unknown", accept)
    assert answer.status_code == status
    assert (answer.content == b"") == (status == 400)


def test_a_delete_hides_and_keeps(api: Api, registry: Registry) -> None:
    osid = api.issue()
    answer = api.delete(osid)
    assert answer.status_code == 200
    assert "result" not in answer.json()
    assert api.read(osid).status_code == 404
    assert api.found(oldId={"eq": "1-old"}) == []
    assert [each.osid for each in registry.entities(deleted=True)] == [osid]


@pytest.mark.parametrize("osid", ["1-unknown", "deleted"])
def test_deleting_what_is_gone_differs_by_release(api: Api, newer: Api, osid: str) -> None:
    statuses = []
    for each in (api, newer):
        gone = osid
        if osid == "deleted":
            gone = each.issue()
            each.delete(gone)
        statuses.append(each.delete(gone).status_code)
    assert statuses == [500, 404]


def test_revoking_keeps_the_entity(api: Api, registry: Registry) -> None:
    osid = api.issue()
    assert api.revoke(osid).status_code == 200
    assert registry.entities()[0].revoked
    assert api.read(osid).status_code == 200
    assert api.revoke("1-unknown").status_code == 500


def test_the_public_key_is_found_and_stays(api: Api) -> None:
    keys = api.search({"filters": {}}, "PublicKey").json()
    assert [set(each) >= {"osid", "value", "alg"} for each in keys] == [True]
    assert api.search({"filters": {}}, "PublicKey").json() == keys


def test_the_newer_release_answers_a_search_with_a_page(newer: Api) -> None:
    newer.issue()
    assert newer.search({}).json()["totalCount"] == 1
    assert len(newer.search({"filters": {}}).json()["data"]) == 1


def test_release_one_wants_filters(api: Api) -> None:
    answer = api.search({})
    assert (answer.status_code, answer.json()["result"]) == (200, "")
    assert answer.json()["params"]["status"] == "UNSUCCESSFUL"


def test_an_unknown_operator_is_an_error_with_status_200(api: Api) -> None:
    answer = api.search({"filters": {"status": {"like": "x"}}})
    assert (answer.status_code, answer.json()["result"]) == (200, "")


def test_nested_fields_are_found_by_dotted_path_and_by_object(api: Api) -> None:
    osid = api.issue()
    api.issue(recipient={"id": "u-43"})
    assert api.found(**{"recipient.id": {"eq": "u-42"}, "training.batchId": {"eq": "0139"}}) == [osid]
    assert api.found(recipient={"id": {"eq": "u-42"}}) == [osid]
    assert api.found(**{"signatory.designation": {"eq": "CEO"}, "recipient.id": {"eq": "u-42"}}) == [osid]


def test_equality_is_a_phrase_match_as_in_the_real_index(api: Api) -> None:
    short = api.issue(certificateLabel="Course Merit")
    longer = api.issue(certificateLabel="course merit, advanced")
    api.issue(certificateLabel="Merit Course")
    assert api.found(certificateLabel={"eq": "Course Merit"}) == [short, longer]


def test_a_page_is_cut_before_deleted_ones_are_dropped(api: Api) -> None:
    gone, there = api.issue(), api.issue()
    api.delete(gone)
    assert api.search({"filters": {}, "limit": 1}).json() == []
    assert [each["osid"] for each in api.search({"filters": {}, "limit": 1, "offset": 1}).json()] == [there]


@pytest.mark.parametrize(
    ("filters", "hit"),
    [
        ({"status": {"neq": "ACTIVE"}}, False),
        ({"status": {"or": ["ACTIVE", "REVOKED"]}}, True),
        ({"status": {"or": ["active"]}}, False),
        ({"training.name": {"startsWith": "frac"}}, True),
        ({"training.name": {"notStartsWith": "frac"}}, False),
        ({"training.name": {"endsWith": "ions"}}, True),
        ({"training.name": {"notEndsWith": "ions"}}, False),
        ({"training.name": {"contains": "101"}}, True),
        ({"training.name": {"notContains": "101"}}, False),
        ({"training.name": {"queryString": "algebra fractions"}}, True),
        ({"training.batchId": {"gte": "0139", "lte": "0139"}}, True),
        ({"training.batchId": {"gt": "0139"}}, False),
        ({"training.batchId": {"lt": "0139"}}, False),
        ({"training.batchId": {"between": ["0100", "0200"]}}, True),
        ({"training.batchId": {"gt": 5}}, False),
        ({"nothing.here": {"eq": "x"}}, False),
    ],
)
def test_search_operators(api: Api, filters: Any, hit: bool) -> None:
    osid = api.issue()
    assert api.found(**filters) == ([osid] if hit else [])
