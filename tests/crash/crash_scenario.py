"""What the kill tests share: many events, blows at given points of the work, and what must be true at the end."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.harness.certificates import each_name_once, identifiers
from tests.harness.installation import PROGRESS, Installation
from tests.harness.oracle import expected, markers
from tests.harness.processes import System
from tests.harness.scenario import Scenario, make_course, make_scenario
from tests.harness.size import size
from tests.harness.waiting import wait_until

Process = subprocess.Popen[bytes]

EVENTS = size(400, full=2000)
LESSONS = size(20, full=40)
"""Of one learner at most: many, so that a lesson costs less than a certificate."""

WORK_SECONDS = 150.0
"""For all events on a slow machine, with the waits for a dead worker's messages."""


def many_events(seed: int) -> Scenario:
    """Learners of two courses who finish at least EVENTS lessons together; some earn two certificates."""
    courses = [
        make_course("a", lessons=LESSONS, optional=1),
        make_course("b", lessons=LESSONS, templates=("Course Merit", "Participation")),
    ]
    learners = EVENTS // LESSONS
    while True:
        scenario = make_scenario(seed, learners=learners, courses=courses)
        if len(scenario.events()) >= EVENTS:
            return scenario
        learners += 5


def small(seed: int, *, learners: int, lessons: int = 5) -> Scenario:
    """A few learners of one course."""
    return make_scenario(seed, learners=learners, courses=[make_course("a", lessons=lessons)])


def counted(installation: Installation) -> int:
    """Lessons that are marked as seen."""
    client = installation.system.ctx.redis.client("dedup")
    return sum(1 for _ in client.scan_iter("[0-9A-F]*", count=1000))


def strike_through(installation: Installation, scenario: Scenario, blows: Sequence[Callable[[], object]]) -> None:
    """Each blow in its turn, spread evenly over the work: the n-th when n parts of n + 1 are counted."""
    total = len(scenario.events())
    for number, blow in enumerate(blows, start=1):
        goal = total * number // (len(blows) + 1)
        wait_until(
            lambda goal=goal: counted(installation) >= goal,  # type: ignore[misc]
            seconds=WORK_SECONDS,
            what=f"{goal} lessons counted",
        )
        blow()


def log_of(system: System, process: Process) -> str:
    """What one process has said so far."""
    (log,) = system.directory.glob(f"*-{system.processes.index(process)}.log")
    return log.read_text(errors="replace")


def wait_ready(system: System, process: Process) -> None:
    """Wait until the worker takes messages."""
    wait_until(lambda: " ready." in log_of(system, process), seconds=60, what="a worker that is ready")


def skipped(logs: str) -> int:
    """Progress records that were counted before, by what the workers say."""
    return sum("record_skipped" in line and "job=activity_aggregate_updater" in line for line in logs.splitlines())


def children(process: Process) -> list[int]:
    """The worker's pool processes."""
    tasks = Path(f"/proc/{process.pid}/task")
    with suppress(OSError):
        found = {child for task in tasks.iterdir() for child in (task / "children").read_text().split()}
        return sorted(int(child) for child in found if _is_pool(int(child)))
    return []


def _is_pool(pid: int) -> bool:
    with suppress(OSError):
        return b"celery" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def kill_child(process: Process) -> None:
    """kill -9 of the first pool process."""
    found = wait_until(lambda: children(process), seconds=30, what="a pool process")
    with suppress(ProcessLookupError):
        os.kill(found[0], signal.SIGKILL)


def publish_and_produce(installation: Installation, scenario: Scenario) -> None:
    """Everything the platform has before; the course is published, then all lessons are finished at once."""
    installation.publish(scenario)
    installation.produce(PROGRESS, scenario.events())


def wait_for_work(installation: Installation, scenario: Scenario) -> None:
    """Wait until all lessons are counted and the queues are empty: cheaper than reading all rows again and again."""
    lessons = len(scenario.events())
    wait_until(lambda: counted(installation) >= lessons, seconds=WORK_SECONDS, what="all lessons counted")
    installation.wait_idle(seconds=WORK_SECONDS)


def check_end(installation: Installation, scenario: Scenario, *, creates_beyond: int = 0) -> None:
    """Rows as the oracle's, markers complete, queues empty, no dead letter, and every certificate accounted for."""
    wait_for_work(installation, scenario)
    installation.wait_for(scenario, seconds=WORK_SECONDS)
    installation.wait_idle(seconds=WORK_SECONDS)
    assert not installation.dead()
    client = installation.system.ctx.redis.client("dedup")
    missing = [marker for marker in markers(scenario) if not client.exists(marker)]
    assert not missing
    assert not list(client.scan_iter("lern:pending:*"))
    check_certificates(installation, scenario, creates_beyond=creates_beyond)


def check_certificates(installation: Installation, scenario: Scenario, *, creates_beyond: int = 0) -> None:
    """The active certificates are the rows' own, one a name; each create beyond was found and deleted."""
    wanted = {name: row.certificates for name, row in expected(scenario).items() if row.certificates}
    active = {each.osid: each.document for each in installation.registry.entities()}
    assert identifiers(installation, scenario) == set(active)
    each_name_once(installation)
    assert len(active) == sum(map(len, wanted.values()))
    assert len(installation.registry.entities(deleted=True)) <= creates_beyond
