"""`lern dead-letters list|show|replay`. See docs/operations.md, "When something fails"."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import click
from rich.progress import track

from bridge.publisher import bare_app
from lern_tasks import settings
from lern_tasks.cli.dead_letters import options, sources
from lern_tasks.cli.dead_letters.listing import Relapses, print_causes, print_letters
from lern_tasks.cli.dead_letters.remedies import remedy
from lern_tasks.cli.dead_letters.replay import Replay, Replayed, replay
from lern_tasks.cli.dead_letters.stored import Criteria, StoredDeadLetter
from lern_tasks.cli.printing import console, print_json, print_table, say
from lern_tasks.connections.files import Files
from lern_tasks.connections.redis import RedisRoles
from lern_tasks.delivery.equal_letters import EqualLetters
from lern_tasks.delivery.record import encode
from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import DependencyDown, LernError
from lern_tasks.operations.topics import failed_topics
from lern_tasks.settings import Settings


@click.group("dead-letters")
def command() -> None:
    """List, show and replay what failed for good."""


@command.command("list")
@options.filters
@options.from_directory
@click.option("--causes", is_flag=True, help="How many letters each cause has.")
@options.as_json
def list_(*, criteria: Criteria, limit: int | None, as_json: bool, directory: Path | None, causes: bool) -> None:
    """List dead letters, oldest failure first. Of the events themselves only ids are shown."""
    relapses = Relapses()
    chosen = criteria.choose(relapses.watched(_dead_letters(directory)))
    dead_letters = sorted(chosen, key=lambda each: each.failed_ms)[:limit]
    remembered = _remembered(dead_letters) if directory is None else [(None, 1)] * len(dead_letters)
    rows = [
        each.summary()
        | {"times": times, "replayed": replayed, "failed_again": replayed and relapses.after(each, replayed)}
        | {"remedy": remedy(each, replayed=bool(replayed))}
        for each, (replayed, times) in zip(dead_letters, remembered, strict=True)
    ]
    if as_json:
        print_json(rows)
    elif causes:
        print_causes(rows)
    else:
        print_letters(rows)


@command.command("show")
@click.argument("topic")
@click.argument("partition", type=click.IntRange(0))
@click.argument("offset", type=click.IntRange(0))
@options.from_directory
@options.as_json
def show(*, topic: str, partition: int, offset: int, as_json: bool, directory: Path | None) -> None:
    """Show one dead letter: what failed, where it came from, and the event itself."""
    dead_letter = _one(topic, partition, offset, directory)
    ((replayed, _),) = _remembered([dead_letter]) if directory is None else [(None, 1)]
    to_do = remedy(dead_letter, replayed=bool(replayed))
    value, note = _whole_value(dead_letter, resolve=directory is None)
    text, encoding = encode(value)
    key, key_encoding = encode(dead_letter.message.key)
    headers = {name: (content or b"").decode("utf-8", "replace") for name, content in dead_letter.message.headers}
    if as_json:
        where = {"topic": topic, "partition": partition, "offset": offset, "timestamp": dead_letter.message.timestamp}
        what = {"key": key, "key_encoding": key_encoding, "headers": headers, "value": text, "encoding": encoding}
        print_json({**where, **what, "note": note, "remedy": to_do})
        return
    for name, content in (*headers.items(), ("key", key or ""), ("note", note), ("remedy", to_do)):
        if content:
            say(f"{name}: {content}")
    say("")
    say("(no value)" if text is None else text if encoding == "utf-8" else f"base64: {text}")


@command.command("replay")
@options.filters
@click.option(
    "--letter",
    "coordinates",
    type=(str, int, int),
    multiple=True,
    metavar="TOPIC PARTITION OFFSET",
    help="Only this dead letter; may be repeated.",
)
@click.option("--all", "everything", is_flag=True, help="All dead letters; needed when nothing else chooses some.")
@click.option("--again", is_flag=True, help="Also what was replayed before.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent.")
@options.as_json
def replay_(
    *, criteria: Criteria, limit: int | None, as_json: bool, everything: bool, again: bool, dry_run: bool
) -> None:
    """Send dead letters to their task again, behind live learners (queue `bulk`).

    An event of the certificate generator whose cause lay in profile, template or course is computed anew. The topic
    that an event came from is left alone, since others read it too. The dead letter stays where it is.
    """
    if not (criteria.any or everything):
        filters = "--job, --error, --user, --course, --batch, --since, --letter"
        raise click.UsageError(f"choose dead letters ({filters}), or give --all")
    dead_letters = list(islice(criteria.choose(_dead_letters(None)), limit))
    results = list(_replay(settings.load(), dead_letters, again=again, dry_run=dry_run, quiet=as_json))
    if as_json:
        print_json([r.dead_letter.summary() | {"outcome": r.outcome, "detail": r.detail} for r in results])
        return
    rows = [(*_coordinates(result.dead_letter), result.outcome, result.detail) for result in results]
    print_table(("topic", "partition", "offset", "outcome", "detail"), rows)
    counts = Counter(result.outcome for result in results)
    say(", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "no dead letters chosen")


def _replay(
    values: Settings, dead_letters: Sequence[StoredDeadLetter], *, again: bool, dry_run: bool, quiet: bool
) -> Iterator[Replay]:
    ctx = Resources(values, bare_app(values))
    results = replay(dead_letters, ctx, again=again, dry_run=dry_run)
    bar = console(stderr=True)
    silent = quiet or not bar.is_terminal
    try:
        yield from track(results, "Replaying", len(dead_letters), console=bar, disable=silent, transient=True)
    finally:
        ctx.close()


def _dead_letters(directory: Path | None) -> Iterator[StoredDeadLetter]:
    if directory is not None:
        return iter(sources.from_directory(directory))
    values = settings.load()
    return sources.from_topics(values, failed_topics(values))


def _one(topic: str, partition: int, offset: int, directory: Path | None) -> StoredDeadLetter:
    if directory is None:
        return sources.one_from_topic(settings.load(), topic, partition, offset)
    for dead_letter in sources.from_directory(directory):
        if _coordinates(dead_letter) == (topic, partition, offset):
            return dead_letter
    raise click.UsageError(f"{directory} holds no dead letter {topic} {partition} {offset}")


def _whole_value(dead_letter: StoredDeadLetter, *, resolve: bool) -> tuple[bytes | None, str]:
    """The value, fetched from its file when it was too large for the topic; and a note when that failed."""
    if not resolve or dead_letter.failure is None:
        return dead_letter.message.value, ""
    try:
        return dead_letter.record(Files(settings.load().files.location)).raw(), ""
    except LernError as error:
        return dead_letter.message.value, f"the whole value cannot be fetched: {error}"


def _remembered(dead_letters: Sequence[StoredDeadLetter]) -> list[tuple[str | None, int]]:
    """When each was replayed, and how often an equal one came."""
    roles = RedisRoles(settings.load())
    try:
        state = roles.client("state")
        times = EqualLetters(state).counts([each.equal_key for each in dead_letters])
        return list(zip(Replayed(state).when(dead_letters), times, strict=True))
    except DependencyDown as error:
        say(f"Which of them were replayed is not known: {error}", err=True)
        return [(None, 1)] * len(dead_letters)
    finally:
        roles.close()


def _coordinates(dead_letter: StoredDeadLetter) -> tuple[str, int, int]:
    return dead_letter.message.topic, dead_letter.message.partition, dead_letter.message.offset
