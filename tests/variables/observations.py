"""Where to look for the effect of a variable."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from bridge.routes import routes
from lern_tasks.catalogue import EventJob
from tests.variables.case import Case, Idle, Look, Scene
from tests.variables.environment import Stage


def nothing(stage: Stage) -> None:
    """The scene in which nothing happens."""


def tables(stage: Stage) -> set[str]:
    """The tables that were read or written."""
    return stage.notes.read | stage.notes.written


def largest_batch(stage: Stage) -> int:
    """Changes of the largest batch."""
    return max(stage.notes.batches)


def outcome(stage: Stage) -> dict[str, int]:
    """How many records of the last message ended in which way."""
    return stage.outcome


def topics(stage: Stage) -> set[str]:
    """The topics that events were published to, dead letters among them."""
    return {message.topic for message in stage.published.messages}


def letters(stage: Stage) -> list[tuple[str, str]]:
    """Topic and code of each dead letter."""
    found = [(message.topic, dict(message.headers).get("lern-code")) for message in stage.published.messages]
    return [(topic, code.decode()) for topic, code in found if code]


def requests(stage: Stage) -> list[str]:
    """Method and path of each request, in order, each once."""
    return list(dict.fromkeys(f"{each.method} {each.path}" for each in stage.requests))


def calls(path_end: str) -> Look:
    """Method and path of the requests whose path ends so, each once."""
    return lambda stage: [each for each in requests(stage) if each.endswith(path_end)]


def asked(text: str) -> Look:
    """The addresses of Redis that got a command in which `text` occurs."""
    return lambda stage: {address for address, command in stage.notes.commands if text in command}


def body(path_end: str, *members: str) -> Look:
    """A member of the body of each request to a path that ends so."""
    return lambda stage: [
        _member(each.body, *members)
        for each in stage.requests
        if each.method == "POST" and each.path.endswith(path_end)
    ]


def handed(job: EventJob, *members: str) -> Look:
    """A member of the data of each event that was handed on to `job`."""
    return lambda stage: [_member(event["edata"], *members) for event in stage.sent_events(job)]


def route(job: str, part: str) -> Look:
    """A part of the bridge's route of a job."""
    return lambda stage: next(getattr(each, part) for each in routes(stage.settings) if each.job == job)


@cache
def invalid(job: EventJob) -> Callable[[Stage], None]:
    """The scene in which a job gets what is no event."""

    def scene(stage: Stage) -> None:
        stage.deliver(job, "not JSON")

    return scene


def common(job: EventJob) -> list[Case]:
    """What every job has: topics, consumer group, records of a message."""
    bad = invalid(job)
    many = {f"LERN_{job.upper()}__RECORDS": "50"}
    return [
        Case(job, "kafka.input.topic", "{{env}}.other", route(job, "topic"), "dev.other", nothing),
        Case(job, "kafka.groupId", "{{env}}-others", route(job, "group"), "dev-others", nothing),
        Case(job, "threshold.batch.read.size", "7", route(job, "records"), 7, nothing, many),
        Case(job, "kafka.output.failed.topic", "{env}.letters", letters, [("dev.letters", "INVALID_EVENT")], bad),
    ]


def waiting(job: EventJob, scene: Scene) -> Idle:
    """What no job has an effect of."""
    return Idle(job, "threshold.batch.read.interval", scene, "a message is filled with what Kafka has: nothing waits")


def _member(value: Any, *path: str) -> Any:
    for name in path:
        value = cast("dict[str, Any]", value)[name]
    return json.loads(json.dumps(value))
