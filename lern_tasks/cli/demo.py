"""`lern demo`: a whole installation on this machine, and a course that learners complete. See README.md."""

import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from lern_tasks.cli.dead_letters import sources
from lern_tasks.cli.dead_letters.stored import StoredDeadLetter
from lern_tasks.cli.demo_display import DemoDisplay
from lern_tasks.cli.printing import console, print_json, print_table, say
from lern_tasks.demo.scenario.certificates import SavedCertificate
from lern_tasks.demo.scenario.course import DemoCourse
from lern_tasks.demo.scenario.run import Demo, DemoResult
from lern_tasks.demo.servers.stack import EmbeddedStack, StackError
from lern_tasks.errors import RefusedByService
from lern_tasks.operations.topics import failed_topics

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

_ENVIRONMENT = {
    # After a Ctrl-C nothing of the demo is worth waiting for.
    "LERN_TASKS__SOFT_SHUTDOWN": "2",
}


class Interrupted(BaseException):
    """A signal asked the demo to end; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command was asked for."""

    learners: int
    lessons: int
    start_method: str
    as_json: bool


@click.command("demo")
@click.option("--learners", type=click.IntRange(1), default=200, show_default=True, help="Learners in the course.")
@click.option("--lessons", type=click.IntRange(1), default=5, show_default=True, help="Lessons of the course.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for everything: certificates, logs, store, dead letters. It must be empty or not exist.",
)
@click.option(
    "--start-method",
    type=click.Choice(["fork", "spawn"]),
    default="spawn" if sys.platform == "darwin" else "fork",
    show_default=True,
    help="How the worker's pool starts its processes.",
)
def command(*, learners: int, lessons: int, as_json: bool, keep: Path | None, start_method: str) -> None:
    """A course is published, learners complete lessons, progress and certificates come out.

    Kafka, Redis, the store, the certificate registry and the platform's API are embedded; bridge, worker and beat are
    those of an installation. Needs nothing but this Python, and leaves nothing but the certificates.
    """
    started = time.monotonic()
    options = Options(learners=learners, lessons=lessons, start_method=start_method, as_json=as_json)
    try:
        with _signals(), _directory(keep) as directory:
            _run(directory, options, started, kept=keep is not None)
    except Interrupted as interrupted:
        say("Interrupted; everything was ended.", err=True)
        sys.exit(128 + interrupted.number)
    except StackError as error:
        raise RefusedByService(f"the demo did not finish: {error}") from error


def _run(directory: Path, options: Options, started: float, *, kept: bool) -> None:
    course = DemoCourse(learners_count=options.learners, lessons_count=options.lessons)
    data, certificates = directory / "data", directory / "certificates"
    for part in (data, certificates):
        part.mkdir()
    screen = console(stderr=options.as_json)
    quiet = options.as_json and not screen.is_terminal
    with DemoDisplay(screen, _totals(course), quiet=quiet) as display:
        display.say("starting Kafka, Redis, registry and platform API", 0)
        with EmbeddedStack(data, _ENVIRONMENT, remove_if_killed=None if kept else directory) as stack:
            stack.start_bridge()
            stack.start_worker(start_method=options.start_method)
            stack.start_beat()
            processes = [{"name": child.name, "pid": child.pid} for child in stack.processes]
            result = Demo(stack, course, certificates=certificates, started=started, report=display.show).run()
            dead_letters = list(sources.from_topics(stack.settings, failed_topics(stack.settings)))
            display.say("ending the processes", time.monotonic() - started)
    sources.save(directory, dead_letters)
    if not kept:
        shutil.rmtree(data)
    if options.as_json:
        print_json(_as_object(result, processes))
    else:
        _print_closing(result, directory, dead_letters, kept=kept)


def _totals(course: DemoCourse) -> dict[str, int]:
    learners = course.learners
    finishing, exams = sum(each.finishes for each in learners), sum(each.marks is not None for each in learners)
    merits = sum(each.passes for each in learners)
    lessons = sum(len(each.reported) for each in learners)
    return {
        # Besides lessons and exams: the publication, the broken event, the syncs and the merges.
        "events": lessons + exams + 2 + len(course.with_gap) + len(course.merged),
        "progressed": sum(bool(each.lessons) for each in learners),
        "completed": finishing,
        "exams": exams,
        "certificates": finishing + merits,
        "merits": merits,
        "reconciled": len(course.with_gap),
        "merged": len(course.merged),
        "dead_letters": 1,
    }


def _as_object(result: DemoResult, processes: list[dict[str, Any]]) -> dict[str, Any]:
    reached = result.reached
    return {
        "events": result.events,
        "enrolments": result.enrolments,
        "enrolments_completed": reached.completed,
        "exams": reached.exams,
        "certificates": [_certificate(certificate) for certificate in result.certificates],
        "merits": reached.merits,
        "reconciled": reached.reconciled,
        "merged": reached.merged,
        "dead_letters": reached.dead_letters,
        "seconds_to_first_certificate": result.seconds_to_first_certificate,
        "seconds": result.seconds,
        "processes": processes,
    }


def _certificate(certificate: SavedCertificate) -> dict[str, str]:
    return {
        "userId": certificate.key.user_id,
        "courseId": certificate.key.course_id,
        "batchId": certificate.key.batch_id,
        "name": certificate.name,
        "identifier": certificate.identifier,
        "file": str(certificate.file),
    }


def _print_closing(result: DemoResult, directory: Path, dead_letters: list[StoredDeadLetter], *, kept: bool) -> None:
    reached = result.reached
    rows: list[tuple[str, object]] = [
        ("events", result.events),
        ("enrolments", result.enrolments),
        ("with progress", reached.progressed),
        ("completed", reached.completed),
        ("exams sat", reached.exams),
        ("certificates", len(result.certificates)),
        ("  of them for passing the exam", reached.merits),
        ("lost events, mended by reconciliation", reached.reconciled),
        ("accounts merged", reached.merged),
        ("dead letters", reached.dead_letters),
        ("seconds to the first certificate", f"{result.seconds_to_first_certificate:.1f}"),
        ("seconds", f"{result.seconds:.1f}"),
        ("events/s", f"{result.events / max(result.processing_seconds, 0.01):.0f}"),
    ]
    print_table(("", ""), rows)
    if result.certificates:
        say(f"A certificate, for any browser:\n  {result.certificates[0].file}")
    quoted = shlex.quote(str(directory))
    for dead_letter in dead_letters[:1]:
        message = dead_letter.message
        say("One event was broken on purpose, and lies in the failed topic with the reason. Look at it:")
        say(f"  lern dead-letters show --from {quoted} {message.topic} {message.partition} {message.offset}")
    say(f"All results: {directory}" + ("" if kept else "  (--keep DIR also keeps logs and the store)"))


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    """The directory of the results: the one asked for, or one that goes when the demo does not finish."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise RefusedByService(f"{keep} is not empty: give --keep a new directory")
        yield keep.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="lern-demo-")).resolve()
    try:
        yield made
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


@contextmanager
def _signals() -> Iterator[None]:
    """Turn the signals that end a program into an exception, so that every `finally` runs."""
    kept = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)
