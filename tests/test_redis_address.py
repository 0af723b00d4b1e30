"""Redis addresses as operators write them: what they mean for each role, and what is refused in a sentence."""

import ssl
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import connection as redis_connection

from lern_tasks.errors import SettingsError
from lern_tasks.settings.celery_guarantees import servers
from lern_tasks.settings.redis_address import parsed
from tests.harness.processes import settings_of

parse_url: Any = redis_connection.parse_url
CA = "rediss://:pw@host:6380?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=CERT_OPTIONAL&ssl_check_hostname=false"


@pytest.mark.parametrize("written", ["redis://host:6379", "redis://host:6379/", "redis://host/0", "redis://host?db=0"])
def test_each_role_gets_its_database_however_the_common_address_ends(written: str) -> None:
    settings = settings_of({"LERN_REDIS__URL": written})
    assert settings.redis_url("state") == "redis://host:6379/1"
    assert settings.redis_url("relation_cache", "activity_aggregate_updater") == "redis://host:6379/10"
    assert servers(settings)["broker_url"] == "redis://host:6379/0"


def test_options_stay_behind_the_database_and_tls_is_everywhere() -> None:
    settings = settings_of({"LERN_REDIS__URL": CA, "LERN_ACTIVITY_AGGREGATE_UPDATER__DEDUP_REDIS_HOST": "::1"})
    url = settings.redis_url("dedup", "activity_aggregate_updater")
    assert url.startswith("rediss://:pw@[::1]:6380/13?ssl_ca_certs=")
    read = parse_url(url)
    assert read["connection_class"] is redis_connection.SSLConnection
    assert (read["db"], read["ssl_ca_certs"], read["ssl_check_hostname"]) == (13, "/etc/ca.pem", False)
    told = servers(settings)
    assert told["broker_url"] == told["result_backend"] == "rediss://:pw@host:6380/0"
    tls = {"ssl_ca_certs": "/etc/ca.pem", "ssl_cert_reqs": ssl.CERT_OPTIONAL, "ssl_check_hostname": False}
    assert told["broker_use_ssl"] == told["redis_backend_use_ssl"] == tls


def test_certificates_are_checked_unless_the_address_says_otherwise() -> None:
    assert parsed("rediss://host").tls == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert parsed("redis://host").tls is None


@pytest.mark.parametrize(
    ("role", "written", "said"),
    [
        ("URL", "redis://:hush@host:6379/3", "database of its own"),
        ("BROKER", "localhost:6379", "write redis://"),
        ("BROKER", "redis+sentinel://:hush@host:26379/0", "Sentinel is not supported"),
        ("STATE", "unix:///run/redis.sock?db=1", "Unix socket is not supported"),
        ("STATE", "redis+socket:///run/redis.sock", "Unix socket is not supported"),
        ("DEDUP", "redis://:hush@one:6379,two:6379", "cannot be read"),
        ("DEDUP", "redis://:hush#er@host:6379", "cannot be read"),
        ("DEDUP", "redis://host:6379/first", "number of a database"),
        ("DEDUP", "redis://host:6379/0/10", "number of a database"),
        ("RESULTS", "redis://host?socket_timeout=5", "socket_timeout"),
        ("RESULTS", "redis://host?ssl_ca_certs=/ca.pem", "write rediss://"),
        ("RESULTS", "rediss://host?ssl_cert_reqs=perhaps", "required"),
    ],
)
def test_what_an_address_cannot_mean_is_refused_by_the_variables_name(role: str, written: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_of({f"LERN_REDIS__{role}": written})
    assert f"LERN_REDIS__{role}: " in str(refused.value)
    assert said in str(refused.value)
    assert "hush" not in str(refused.value)


@given(
    password=st.text(st.characters(codec="utf-8"), max_size=10),
    host=st.sampled_from(["localhost", "10.0.0.1", "::1", "redis.svc"]),
    port=st.none() | st.integers(1, 65_535),
    db=st.none() | st.integers(0, 99),
    with_tls=st.booleans(),
)
def test_the_library_reads_what_we_read(
    password: str, host: str, port: int | None, db: int | None, *, with_tls: bool
) -> None:
    login = f":{quote(password, safe='')}@" if password else ""
    written = f"redis{'s' if with_tls else ''}://{login}{f'[{host}]' if ':' in host else host}"
    written += (f":{port}" if port else "") + ("" if db is None else f"/{db}")
    address, read = parsed(written), parse_url(parsed(written).url)
    assert (read["host"], read["port"], read.get("db")) == (host, port or 6379, db)
    assert read.get("password", "") == password
    assert parsed(address.url) == address
