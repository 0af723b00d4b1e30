from pathlib import Path
from typing import Any

import fsspec
import pytest

from lern_tasks.errors import DependencyDown, SettingsError
from lern_tasks.jobs.certificates.clients import certificate_files as module
from lern_tasks.jobs.certificates.clients.certificate_files import certificate_files
from lern_tasks.settings import Settings, load

PREFIX = "LERN_COLLECTION_CERTIFICATE_GENERATOR__"
NEEDED = {
    "CERT_DOMAIN_URL": "https://dev.sunbirded.org",
    "CERT_CONTAINER_NAME": "certs",
    "CERT_CLOUD_STORAGE_TYPE": "azure",
    "CERT_CLOUD_STORAGE_KEY": "account",
    "CERT_CLOUD_STORAGE_SECRET": "hush-hush",
}


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name in (*NEEDED, "CERT_CLOUD_STORAGE_ENDPOINT"):
        monkeypatch.setenv(f"{PREFIX}{name}", values.get(name, ""))
    return load()


def test_a_url_needs_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = {"CERT_DOMAIN_URL": "https://dev.sunbirded.org", "CERT_CONTAINER_NAME": tmp_path.as_uri()}
    certificate_files(settings(monkeypatch, **values)).put("0139/c1.json", b"{}")
    assert (tmp_path / "0139" / "c1.json").read_bytes() == b"{}"


def test_a_store_that_is_away_has_its_own_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    url = (tmp_path / "taken").as_uri()
    files = certificate_files(settings(monkeypatch, CERT_DOMAIN_URL="https://x", CERT_CONTAINER_NAME=url))
    with pytest.raises(DependencyDown) as raised:
        files.put("a", b"1")
    assert raised.value.name == "certificate_files"


@pytest.mark.parametrize("missing", NEEDED)
def test_each_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    with pytest.raises(SettingsError) as raised:
        certificate_files(settings(monkeypatch, **{**NEEDED, missing: ""}))
    assert f"{PREFIX}{missing}" in str(raised.value)
    assert "hush-hush" not in str(raised.value)


def test_all_that_are_missing_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as raised:
        certificate_files(settings(monkeypatch))
    assert all(f"{PREFIX}{name}" in str(raised.value) for name in NEEDED)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"CERT_CLOUD_STORAGE_TYPE": "cephs3"}, "CERT_CLOUD_STORAGE_ENDPOINT"),
        ({"CERT_CLOUD_STORAGE_TYPE": "tape"}, "CERT_CLOUD_STORAGE_TYPE"),
        ({"CERT_CONTAINER_NAME": "nosuch://x"}, "CERT_CONTAINER_NAME"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        certificate_files(settings(monkeypatch, **{**NEEDED, **changes}))


CLOUDS: list[tuple[dict[str, str], str, dict[str, Any]]] = [
    ({}, "az://certs", {"account_name": "account", "account_key": "hush-hush"}),
    (
        {"CERT_CLOUD_STORAGE_ENDPOINT": "https://storage.example"},
        "az://certs",
        {"connection_string": "AccountName=account;AccountKey=hush-hush;BlobEndpoint=https://storage.example"},
    ),
    ({"CERT_CLOUD_STORAGE_TYPE": "aws"}, "s3://certs", {"key": "account", "secret": "hush-hush"}),
    (
        {"CERT_CLOUD_STORAGE_TYPE": "cephs3", "CERT_CLOUD_STORAGE_ENDPOINT": "ceph.example:7480"},
        "s3://certs",
        {"key": "account", "secret": "hush-hush", "endpoint_url": "https://ceph.example:7480"},
    ),
    (
        {"CERT_CLOUD_STORAGE_TYPE": "gcloud", "CERT_CLOUD_STORAGE_SECRET": "a\\nb"},
        "gs://certs",
        {
            "token": {
                "type": "service_account",
                "client_email": "account",
                "private_key": "a\nb",
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        },
    ),
]


@pytest.mark.parametrize(("changes", "url", "options"), CLOUDS)
def test_the_documented_clouds(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], url: str, options: dict[str, Any]
) -> None:
    values = settings(monkeypatch, **{**NEEDED, **changes})
    assert module._place(values.collection_certificate_generator) == (url, options)


def test_a_cloud_whose_library_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_protocol: str) -> None:
        raise ImportError

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(SettingsError, match=r"lern-tasks\[azure\]"):
        certificate_files(settings(monkeypatch, **NEEDED))
