"""Kafka: brokers and topics."""

from collections.abc import Iterator
from functools import partial

from lern_tasks.cli import kafka_admin
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, problem, warning
from lern_tasks.cli.topics import judge
from lern_tasks.errors import DependencyDown
from lern_tasks.operations.topics import needed_topics
from lern_tasks.settings import Settings

_AWAY = "no event is read, and no dead letter written"
_MISSING = "what is sent to a topic that is not there waits, or is lost"
_FORGETS = "a dead letter is gone before somebody has mended its cause and replayed it"


def checks(jobs: Jobs) -> list[Check]:
    """The brokers answer; the topics of `jobs` exist; failed topics keep what they get for a month."""
    return [Check(name="kafka", look=partial(_check, jobs), why=_AWAY)]


def _check(jobs: Jobs, settings: Settings) -> Iterator[Finding]:
    needed = needed_topics(settings, jobs)
    try:
        found = kafka_admin.topics(settings, configurations=[topic.name for topic in needed if topic.failed])
    except DependencyDown as error:
        yield problem("kafka", str(error), "start it, or correct LERN_KAFKA__BROKERS")
        return
    yield ok("kafka", f"{settings.kafka.brokers} answers")
    users, missing = _users(settings, jobs), dict[Jobs, list[str]]()
    judged = [(topic, judge(topic, found.get(topic.name))) for topic in needed]
    for topic, judgement in judged:
        of = users[topic.name]
        if topic.name not in found:
            missing.setdefault(of, []).append(topic.name)
        elif not judgement.ok:
            yield warning("topics", f"{topic.name} {judgement.result}", judgement.to_do, why=_FORGETS, jobs=of)
    for of, names in missing.items():
        yield problem("topics", f"missing: {', '.join(names)}", "lern topics create", why=_MISSING, jobs=of)
    if all(judgement.ok for _, judgement in judged):
        yield ok("topics", f"all {len(judged)} are there")


def _users(settings: Settings, jobs: Jobs) -> dict[str, Jobs]:
    """The jobs of each topic; none for what every job may use."""
    users: dict[str, Jobs] = {}
    for job in jobs:
        for topic in needed_topics(settings, [job]):
            users[topic.name] = (*users.get(topic.name, ()), job)
    return {name: () if of == jobs else of for name, of in users.items()}
