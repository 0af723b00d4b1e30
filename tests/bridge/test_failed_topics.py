"""The bridge names the failed topics that are missing, each once."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from structlog.testing import capture_logs

from bridge import failed_topics
from bridge.routes import routes
from tests.harness.processes import settings_of

SETTINGS = settings_of({"LERN_USER_CACHE_UPDATER__KAFKA_OUTPUT_FAILED_TOPIC": "{env}.users.failed"})
ROUTES = routes(SETTINGS)


def named(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[str]:
    monkeypatch.setattr(failed_topics, "AdminClient", lambda *_, **__: SimpleNamespace(list_topics=answer))
    with capture_logs() as logs:
        failed_topics.name_missing(SETTINGS, ROUTES)
    return [line["topic"] for line in logs if line["event"] == "topic_missing"]


def test_a_missing_failed_topic_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {route.failed_topic for route in ROUTES} - {"dev.users.failed", "dev.lern.tasks.failed"}
    found = named(monkeypatch, lambda timeout: SimpleNamespace(topics=dict.fromkeys(there)))
    assert found == ["dev.lern.tasks.failed", "dev.users.failed"]


def test_of_a_kafka_that_is_away_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(timeout: float) -> Any:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    assert named(monkeypatch, away) == []
