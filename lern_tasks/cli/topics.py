"""`lern topics create|check`. See docs/operations.md, "When something fails"."""

import sys
from dataclasses import asdict, dataclass
from functools import partial

import click
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from lern_tasks import settings
from lern_tasks.cli import kafka_admin
from lern_tasks.cli.kafka_admin import FoundTopic
from lern_tasks.cli.printing import print_json, print_table, say
from lern_tasks.errors import DependencyDown
from lern_tasks.operations.topics import NeededTopic, needed_topics

_RETENTION_MS = 30 * 24 * 3600 * 1000
"""Dead letters are looked at by people: a month covers holidays."""

_CREATE_TIMEOUT = 30.0
"""Seconds for the brokers to create all topics: an election and a disk write each."""


@click.group("topics")
def command() -> None:
    """Create the topics that the jobs need, or check them."""


@command.command("create")
@click.option(
    "--partitions", type=click.IntRange(1), default=2, show_default=True, help="Partitions of each new topic."
)
@click.option(
    "--replication",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Copies of each partition; 3 if you can.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be created.")
def create(partitions: int, replication: int, dry_run: bool) -> None:
    """Create the missing topics; failed topics with a retention of 30 days. Existing topics are left as they are."""
    values = settings.load()
    present = kafka_admin.topics(values)
    wanted = [topic for topic in needed_topics(values) if topic.name not in present]
    if not wanted:
        say("All topics are there.")
        return
    if not dry_run:
        _create(values, wanted, partitions, replication)
    verb = "Would create" if dry_run else "Created"
    for topic in wanted:
        say(f"{verb} {topic.name} ({', '.join(topic.roles)}; {partitions} partitions, {replication} copies)")


@command.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(as_json: bool) -> None:
    """Say which topics are missing, and which failed topics forget too early. Exit status 1 if there are any."""
    values = settings.load()
    needed = needed_topics(values)
    found = kafka_admin.topics(values, configurations=[topic.name for topic in needed if topic.failed])
    judged = [judge(topic, found.get(topic.name)) for topic in needed]
    if as_json:
        print_json([asdict(judgement) for judgement in judged])
    else:
        cells = [(j.topic, ", ".join(j.roles), j.result, j.to_do) for j in judged]
        print_table(("topic", "used as", "result", "what to do"), cells)
    if not all(judgement.ok for judgement in judged):
        sys.exit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a topic is as it must be, what is the case, and what to type."""

    topic: str
    roles: tuple[str, ...]
    ok: bool
    result: str
    to_do: str = ""


def judge(topic: NeededTopic, found: FoundTopic | None) -> Judgement:
    """What there is to say about a needed topic; `found` is None when the brokers do not have it."""
    say = partial(Judgement, topic=topic.name, roles=topic.roles)
    if found is None:
        return say(ok=False, result="missing", to_do="lern topics create")
    size = f"{found.partitions} partitions"
    if not topic.failed:
        return say(ok=True, result=size)
    if found.retention_ms is None:
        return say(ok=True, result=f"{size}; the broker does not tell the retention")
    days = f"{found.retention_ms / 86_400_000:g} days"
    if 0 <= found.retention_ms < _RETENTION_MS:
        return say(ok=False, result=f"keeps dead letters for {days} only", to_do=_longer(topic.name))
    return say(ok=True, result=f"{size}, kept {'for ever' if found.retention_ms < 0 else f'for {days}'}")


def _longer(topic: str) -> str:
    change = f"--entity-type topics --entity-name {topic} --add-config retention.ms={_RETENTION_MS}"
    return f"kafka-configs.sh --bootstrap-server BROKERS --alter {change}"


def _create(values: settings.Settings, wanted: list[NeededTopic], partitions: int, replication: int) -> None:
    new = [
        NewTopic(
            topic.name,
            num_partitions=partitions,
            replication_factor=replication,
            config={"retention.ms": str(_RETENTION_MS)} if topic.failed else {},
        )
        for topic in wanted
    ]
    # Kept in a variable: without its client no answer comes.
    admin = kafka_admin.client(values)
    answers = admin.create_topics(new, operation_timeout=_CREATE_TIMEOUT)
    for name, answer in answers.items():
        try:
            answer.result(_CREATE_TIMEOUT)
        except KafkaException as error:
            # Somebody else created it between the look and now.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise DependencyDown("kafka", f"cannot create {name}: {error.args[0].str()}") from error
