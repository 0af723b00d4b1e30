import json

import pytest

from lern_tasks.settings import Settings
from tests.cli.conftest import Lern


def _rows(output: str) -> dict[str, dict[str, object]]:
    return {row["variable"]: row for row in json.loads(output)}


def test_every_setting_has_a_row_with_a_variable_that_sets_it(lern_command: Lern) -> None:
    rows = _rows(lern_command("settings", "--json").output)
    scope = "activity_aggregate_updater"
    assert len(rows) > 100
    for name, field in Settings.model_fields[scope].annotation.model_fields.items():  # type: ignore[union-attr]
        assert any(variable.startswith(f"LERN_{scope.upper()}__") for variable in rows), (name, field)
    assert rows["LERN_KAFKA__BROKERS"]["documented"] == ["kafka.broker-servers"]


@pytest.mark.parametrize(
    "variable",
    [
        "LERN_ACTIVITY_AGGREGATE_UPDATER__KAFKA_AUDIT_TOPIC",
        "LERN_ACTIVITY_AGGREGATE_UPDATER__KAFKA_OUTPUT_AUDIT_TOPIC",
    ],
)
def test_a_value_given_by_any_spelling_is_shown_under_the_first(lern_command: Lern, variable: str) -> None:
    row = _rows(lern_command("settings", "--json", **{variable: "audits"}).output)[
        "LERN_ACTIVITY_AGGREGATE_UPDATER__KAFKA_AUDIT_TOPIC"
    ]
    assert row["value"] == "audits"
    assert row["changed"]
    assert row["documented"] == ["kafka.audit.topic", "kafka.output.audit.topic"]


@pytest.mark.parametrize(
    ("variable", "value", "secret"),
    [
        ("LERN_KAFKA__SASL_PASSWORD", "hush-hush", "hush-hush"),
        ("LERN_CASSANDRA__PASSWORD", "hush-hush", "hush-hush"),
        ("LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_RCAPIKEY", "hush-hush", "hush-hush"),
        ("LERN_REDIS__URL", "redis://user:hush@hush@host:6379", "hush"),
        ("LERN_REDIS__BROKER", "redis://:hush-hush@host:6379/0", "hush-hush"),
        ("LERN_REDIS__STATE", "rediss://host:6379/1?ssl_password=hush-hush", "hush-hush"),
        ("LERN_KAFKA__PROPERTIES", '{"ssl.key.password": "hush-hush"}', "hush-hush"),
        ("LERN_FILES__URL", "s3://key:hush-hush@bucket/letters", "hush-hush"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_secrets_are_masked(
    lern_command: Lern, variable: str, value: str, secret: str, options: tuple[str, ...]
) -> None:
    result = lern_command("settings", *options, **{variable: value})
    assert result.exit_code == 0
    assert secret not in result.output
    assert "********" in result.output


@pytest.mark.parametrize("address", ["redis://host:6379/1?password=hush-hush", "redis://:123?hush@host/0"])
def test_a_refused_address_keeps_its_secrets(lern_command: Lern, address: str) -> None:
    result = lern_command("settings", LERN_REDIS__STATE=address)
    assert (result.exit_code, "hush" in result.output) == (2, False)


def test_a_scope_shows_its_own_settings_only(lern_command: Lern) -> None:
    rows = _rows(lern_command("settings", "relation-cache-updater", "--json").output)
    assert rows
    assert all(variable.startswith("LERN_RELATION_CACHE_UPDATER__") for variable in rows)


def test_an_unknown_scope_is_named_with_the_known_ones(lern_command: Lern) -> None:
    result = lern_command("settings", "kafak")
    assert result.exit_code == 2
    assert "kafak" in result.output
    assert "activity_aggregate_updater" in result.output


def test_a_misspelt_variable_is_named_without_a_trace(lern_command: Lern) -> None:
    result = lern_command("settings", LERN_KAFAK__BROKERS="host:9092")
    assert result.exit_code == 2
    assert "LERN_KAFAK__BROKERS" in result.output


def test_changed_shows_what_differs_from_its_default(lern_command: Lern) -> None:
    rows = _rows(lern_command("settings", "--changed", "--json", LERN_ENV="staging").output)
    assert set(rows) == {"LERN_ENV"}


def test_the_table_holds_a_setting_on_one_line_when_it_is_no_terminal(lern_command: Lern) -> None:
    lines = lern_command("settings", "kafka").output.splitlines()
    assert any("LERN_KAFKA__BROKERS" in line and "kafka.broker-servers" in line for line in lines)
