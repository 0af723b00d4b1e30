"""Which addresses a certificate template may lead to, and which lie in the container of certificates."""

from ipaddress import ip_address

import pytest

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.clients.container_urls import name_in_container
from lern_tasks.jobs.certificates.clients.template_hosts import TemplateHosts
from lern_tasks.settings import load

NEVER = [
    "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::",
    "169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "224.0.0.1", "100.100.100.200", "fd00:ec2::254",
]  # fmt: skip
PRIVATE = ["10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "fd00::1"]
PUBLIC = ["8.8.8.8", "2001:4860:4860::8888"]


@pytest.mark.parametrize("address", NEVER + PRIVATE + PUBLIC)
def test_addresses(address: str) -> None:
    found = ip_address(address)
    assert bool(TemplateHosts().fault("x.example", 80, found)) == (address in NEVER)
    assert bool(TemplateHosts(private=False).fault("x.example", 80, found)) == (address not in PUBLIC)
    assert TemplateHosts(private=False, listed=frozenset({"x.example"})).fault("x.example", 80, found) == ""
    ours = TemplateHosts(private=False, own=frozenset({("x.example", 80)}))
    assert ours.fault("x.example", 80, found) == ""
    assert bool(ours.fault("x.example", 81, found)) == (address in NEVER)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/a.svg",
        "http://a.localhost:9000/a.svg",
        "http://127.0.0.1/a.svg",
        "http://[::1]/a.svg",
        "http://user@169.254.169.254/latest/meta-data/",
    ],
)
def test_what_is_refused_before_any_name_is_asked_for(url: str) -> None:
    with pytest.raises(InvalidEvent) as refused:
        TemplateHosts().check(url)
    assert refused.value.field == "edata.svgTemplate"


def test_configured_services_and_stores_are_ours_and_defaults_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERN_COLLECTION_CERTIFICATE_GENERATOR__CLOUD_STORAGE_BASE_URL", "https://Store.example")
    monkeypatch.setenv("LERN_COLLECTION_CERTIFICATE_GENERATOR__CERT_CLOUD_STORAGE_ENDPOINT", "ceph.example:7480")
    monkeypatch.setenv("LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_BASEPATH", "http://127.0.0.1:8081/api/v1")
    monkeypatch.setenv("LERN_REDIS__BROKER", "redis://127.0.0.1:6379")
    monkeypatch.setenv("LERN_HTTP__PRIVATE_HOSTS", "false")
    hosts = TemplateHosts.from_settings(load())
    assert hosts.own >= {("store.example", 443), ("ceph.example", 7480), ("127.0.0.1", 8081)}
    assert not hosts.private
    assert not any(port == 6379 for _, port in hosts.own), "what speaks no HTTP holds no templates"
    hosts.check("http://127.0.0.1:8081/a.svg")
    for port in (9000, 8082):
        with pytest.raises(InvalidEvent):
            hosts.check(f"http://localhost:{port}/a.svg")


def test_a_listed_host_is_one_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERN_HTTP__ALLOWED_HOSTS", '["CDN.example"]')
    TemplateHosts.from_settings(load()).check("https://cdn.EXAMPLE/a.svg")


@pytest.mark.parametrize(
    ("url", "container", "name"),
    [
        ("https://certs.s3.ap-south-1.amazonaws.com/t/a%20b.svg?v=1", "s3://certs", "t/a b.svg"),
        ("https://s3.ap-south-1.amazonaws.com/certs/t/a.svg", "s3://certs", "t/a.svg"),
        ("https://s3.amazonaws.com/certs/folder/a.svg", "s3://certs/folder", "a.svg"),
        ("https://s3.amazonaws.com/certs/other/a.svg", "s3://certs/folder", None),
        ("https://s3.amazonaws.com/certs2/a.svg", "s3://certs", None),
        ("https://certs.s3.amazonaws.com.evil.example/a.svg", "s3://certs", None),
        ("https://acc.blob.core.windows.net/certs/a.svg", "az://certs", "a.svg"),
        ("https://other.blob.core.windows.net/certs/a.svg", "az://certs", None),
        ("https://storage.googleapis.com/certs/a.svg", "gs://certs", "a.svg"),
        ("https://certs.storage.googleapis.com/a.svg", "gs://certs", "a.svg"),
        ("https://storage.googleapis.com/certs/", "gs://certs", None),
        ("https://cdn.example/certs/a.svg", "s3://certs", None),
        ("http://[", "s3://certs", None),
        ("file:///certs/a.svg", "file:///certs", None),
    ],
)
def test_what_lies_in_the_container(url: str, container: str, name: str | None) -> None:
    assert name_in_container(url, container, account="acc") == name


def test_what_lies_in_a_storage_of_our_own() -> None:
    for endpoint in ("https://ceph.example:7480", "ceph.example:7480"):
        for url in ("http://ceph.example:7480/certs/a.svg", "https://certs.ceph.example:7480/a.svg"):
            assert name_in_container(url, "s3://certs", endpoint=endpoint) == "a.svg"
        for url in ("https://ceph.example/certs/a.svg", "https://s3.amazonaws.com/certs/a.svg"):
            assert name_in_container(url, "s3://certs", endpoint=endpoint) is None
