"""Kafka: brokers and topics."""

from collections.abc import Iterator

from lern_tasks.cli import kafka_admin
from lern_tasks.cli.checks.finding import Finding, ok, problem, warning
from lern_tasks.cli.topics import judge
from lern_tasks.needed_topics import needed_topics
from lern_tasks.settings import Settings


def check(settings: Settings) -> Iterator[Finding]:
    """The brokers answer; every topic exists; failed topics keep what they get for a month. Raises DependencyDown."""
    needed = needed_topics(settings)
    found = kafka_admin.topics(settings, configurations=[topic.name for topic in needed if topic.failed])
    yield ok("kafka", f"{settings.kafka.brokers} answers")
    judged = [(topic, judge(topic, found.get(topic.name))) for topic in needed]
    missing = [topic.name for topic, _ in judged if topic.name not in found]
    if missing:
        yield problem("topics", f"missing: {', '.join(missing)}", "lern topics create")
    for topic, judgement in judged:
        if not judgement.ok and topic.name not in missing:
            yield warning("topics", f"{topic.name} {judgement.result}", judgement.to_do)
    if all(judgement.ok for _, judgement in judged):
        yield ok("topics", f"all {len(judged)} are there")
