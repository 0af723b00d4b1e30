"""The platform's services as the jobs call them."""

from typing import Any

import httpx
import pytest

from lern_tasks.demo.platform.platform_api import PlatformApi

USER = {"firstName": "Asha", "lastName": "Rao", "rootOrgId": "org-1", "maskedPhone": "******1234"}
FLAGS = "organisations,roles,locations,declarations,externalIds"


@pytest.fixture
def filled(platform: PlatformApi) -> PlatformApi:
    platform.add(
        users={"u-1": USER, "u-2": USER | {"blocked": True}},
        contents={
            "do_1": {"name": "Fractions", "contentType": "Course"},
            "do_2": {"name": "Old", "status": "Retired"},
            "do_3": {"name": "Leaf", "objectType": "Content"},
        },
        frameworks={"NCF": {"categories": [{"code": "board"}]}},
    )
    return platform


def _user(client: httpx.Client, platform: PlatformApi, user_id: str) -> httpx.Response:
    return client.get(f"{platform.learner_url}/private/user/v1/read/{user_id}?{FLAGS}")


def _search(client: httpx.Client, platform: PlatformApi, **filters: Any) -> Any:
    body = {"request": {"filters": filters, "fields": ["status"]}}
    return client.post(f"{platform.search_url}/v3/search", json=body).json()["result"]


def test_a_user_is_read(client: httpx.Client, filled: PlatformApi) -> None:
    answer = _user(client, filled, "u-1")
    assert answer.status_code == 200
    assert answer.json()["responseCode"] == "OK"
    assert answer.json()["result"]["response"] == {"id": "u-1", "identifier": "u-1", **USER}


@pytest.mark.parametrize("code", ["UOS_USRRED0006", "USER_ACCOUNT_BLOCKED"])
def test_a_blocked_user_is_refused(client: httpx.Client, filled: PlatformApi, code: str) -> None:
    filled.switches.blocked_error = code
    answer = _user(client, filled, "u-2")
    assert (answer.status_code, answer.json()["responseCode"]) == (400, "CLIENT_ERROR")
    assert answer.json()["params"]["err"] == code


def test_an_unknown_user_is_not_found(client: httpx.Client, filled: PlatformApi) -> None:
    assert _user(client, filled, "u-9").status_code == 404


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_content_is_read_with_the_fields_asked_for(client: httpx.Client, filled: PlatformApi, version: str) -> None:
    address = f"{filled.content_url}/content/{version}/read/do_1"
    assert client.get(f"{address}?fields=name").json()["result"]["content"] == {
        "identifier": "do_1",
        "name": "Fractions",
    }
    assert client.get(address).json()["result"]["content"]["contentType"] == "Course"
    assert client.get(f"{filled.content_url}/content/{version}/read/do_9").status_code == 404


def test_the_status_of_a_collection_is_found(client: httpx.Client, filled: PlatformApi) -> None:
    statuses = ["Live", "Unlisted", "Retired"]
    found = _search(client, filled, objectType="Collection", identifier="do_2", status=statuses)
    assert found == {"count": 1, "content": [{"identifier": "do_2", "status": "Retired"}]}
    both = _search(client, filled, objectType="Collection", identifier=["do_1", "do_2"], status=statuses)
    assert both["count"] == 2
    assert _search(client, filled, objectType="Collection", identifier="do_3", status=statuses) == {"count": 0}
    assert _search(client, filled, objectType="Collection", identifier="do_2", status=["Live"]) == {"count": 0}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"request": {}}', b'{"request": {"filters": 5}}'])
def test_a_search_that_is_none_is_refused(client: httpx.Client, filled: PlatformApi, body: bytes) -> None:
    assert client.post(f"{filled.search_url}/v3/search", content=body).status_code == 400


@pytest.mark.parametrize("path", ["v2/notification", "private/user/feed/v1/create"])
def test_what_is_sent_to_a_learner_is_recorded(client: httpx.Client, platform: PlatformApi, path: str) -> None:
    body = {"request": {"userId": "u-1"}}
    assert client.post(f"{platform.learner_url}/{path}", json=body).json()["responseCode"] == "OK"
    assert [each.body for each in platform.requests_to("POST", path)] == [body]


def test_things_are_added_over_http(client: httpx.Client, platform: PlatformApi) -> None:
    assert client.put(f"{platform.url}/_users", json={"u-5": {"firstName": "Ravi"}}).status_code == 200
    assert client.put(f"{platform.url}/_contents", json={"do_5": {"name": "Algebra"}}).status_code == 200
    assert _user(client, platform, "u-5").json()["result"]["response"]["firstName"] == "Ravi"
    assert _search(client, platform, identifier="do_5")["count"] == 1
    assert client.get(f"{platform.url}/_users").json() == {"u-5": {"firstName": "Ravi"}}


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b'{"u-1": 5}'])
def test_things_that_are_none_are_refused(client: httpx.Client, platform: PlatformApi, body: bytes) -> None:
    answer = client.put(f"{platform.url}/_users", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_framework_is_read(client: httpx.Client, filled: PlatformApi) -> None:
    address = f"{filled.taxonomy_url}/framework/v1/read"
    found = client.get(f"{address}/NCF").json()["result"]["framework"]
    assert found == {"identifier": "NCF", "categories": [{"code": "board"}]}
    assert client.get(f"{address}/other").status_code == 404


def test_the_default_template_is_served(client: httpx.Client, platform: PlatformApi) -> None:
    answer = client.get(platform.template_url())
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "{{credentialSubject.recipientName}}" in answer.text
    assert client.get(platform.template_url("other.svg")).status_code == 404


@pytest.mark.parametrize(
    ("switch", "method", "path"),
    [
        ("user_read", "GET", "/learner/private/user/v1/read/u-1"),
        ("content_read", "GET", "/content/content/v4/read/do_1"),
        ("search", "POST", "/search/v3/search"),
        ("notification", "POST", "/learner/v2/notification"),
        ("feed", "POST", "/learner/private/user/feed/v1/create"),
        ("framework_read", "GET", "/taxonomy/framework/v1/read/NCF"),
    ],
)
def test_each_service_can_fail(client: httpx.Client, filled: PlatformApi, switch: str, method: str, path: str) -> None:
    body: dict[str, Any] = {"request": {"filters": {}}}

    def call() -> httpx.Response:
        return client.request(method, filled.url + path, json=body, timeout=0.5)

    filled.switches.update({switch: "503", f"{switch}_times": 1})
    assert [call().status_code, call().status_code] == [503, 200]
    filled.switches.update({switch: "200_error"})
    assert (call().status_code, call().json()["responseCode"]) == (200, "CLIENT_ERROR")
    filled.switches.update({switch: "timeout"})
    with pytest.raises(httpx.ReadTimeout):
        call()
    filled.switches.update({switch: "drop"})
    with pytest.raises(httpx.RemoteProtocolError):
        call()


def test_an_unknown_path_is_not_found(client: httpx.Client, platform: PlatformApi) -> None:
    assert client.get(f"{platform.url}/nowhere").status_code == 404
    assert client.get(f"{platform.url}/_nowhere").status_code == 404
    assert client.delete(f"{platform.learner_url}/v2/notification").status_code == 404


def test_a_body_without_a_length_is_refused(client: httpx.Client, platform: PlatformApi) -> None:
    answer = client.post(f"{platform.search_url}/v3/search", content=iter([b"{}"]))
    assert answer.status_code == 411
