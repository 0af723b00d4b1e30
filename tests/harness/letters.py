"""The dead letters of a chain, what the table of their causes says of each, and the commands of people."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from lern_tasks.catalogue import JobName
from lern_tasks.cli import task_run
from lern_tasks.cli.__main__ import lern
from lern_tasks.cli.dead_letters import command as dead_letters
from lern_tasks.cli.dead_letters.stored import FailedMessage, StoredDeadLetter
from lern_tasks.cli.index_users import command as index_users
from lern_tasks.operations.merged_certificates import reissue_merged
from lern_tasks.operations.missing_certificates import sweep_missing_certificates
from lern_tasks.operations.reconcile import reconcile_batch, reconcile_enrolment
from lern_tasks.operations.reissue import issue_batch, reissue_certificate
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.delivery.resumable.long_tasks import LongTasks
from tests.harness.course import KEY, ROW
from tests.harness.in_process import Chain
from tests.harness.scenario import finished

OPERATIONS = (
    reconcile_enrolment,
    reconcile_batch,
    reissue_certificate,
    reissue_merged,
    issue_batch,
    sweep_missing_certificates,
)

FINISHED = finished(KEY, ["r1", "r2", "r3"])
"""A completion, as the platform tells of it."""

Step = Callable[[Chain], object]
Cause = Callable[[Chain, pytest.MonkeyPatch], object]

REPLAY = "lern dead-letters replay --letter"
NONE = ""
RECONCILE = "lern reconcile u1 do_c1 b1"


def certified(chain: Chain) -> bool:
    """The learner has the certificate, once."""
    names = [element["name"] for element in chain.row(ENROLMENTS, ROW).get("issued_certificates", [])]
    return names == ["Course Merit"] and len(chain.registry.entities()) == 1


def nothing(*_: object) -> None:
    """Nothing is to be done."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter of `job` that `event` leads to. `mend`: what a person does before `command`."""

    job: JobName
    code: str
    says: str
    event: Any
    cause: Cause = nothing
    mend: Step = nothing
    command: str = REPLAY
    well: Step = certified
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def to(self) -> JobName:
        """Where the event comes in: a completion at the aggregator, whatever job fails by it."""
        return "activity_aggregate_updater" if self.event is FINISHED else self.job

    @property
    def name(self) -> str:
        """For the list of tests."""
        return f"{self.job}-{self.code}-{self.says}".replace(" ", "_")


def raising(target: Any, name: str, error: Exception) -> Cause:
    """Whoever calls it gets the error, after which some days have passed."""

    def cause(chain: Chain, patch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> Any:
            chain.time_ms += 100_000_000
            raise error

        patch.setattr(target, name, fail)

    return cause


def letters(chain: Chain) -> list[StoredDeadLetter]:
    """The dead letters so far, oldest first, each at an offset of its own."""
    failed = [message for message in chain.published.messages if message.topic.endswith("failed")]
    return [
        StoredDeadLetter(
            FailedMessage(
                topic=message.topic,
                partition=0,
                offset=offset,
                timestamp=chain.time_ms,
                key=message.key,
                value=message.value,
                headers=message.headers,
            )
        )
        for offset, message in enumerate(failed)
    ]


def run(chain: Chain, command: str) -> Result:
    """Give a command in the chain's installation, and let everything that it leads to happen."""
    tasks = LongTasks(chain, *OPERATIONS)

    def follow(name: str, arguments: Any, **_options: Any) -> Any:
        return tasks.finish(name, **arguments)

    words = shlex.split(command)
    assert words.pop(0) == "lern"
    with _installed(chain), patch.object(task_run, "run", follow):
        result = CliRunner().invoke(lern, words, catch_exceptions=False)
    chain.drain()
    return result


@contextmanager
def _installed(chain: Chain) -> Iterator[None]:
    """The commands work with the chain's process, and leave it open."""
    ctx = chain.new_ctx()
    with (
        patch.object(ctx, "close", lambda: None),
        patch.object(dead_letters, "Resources", lambda *_: ctx),
        patch.object(dead_letters, "RedisRoles", lambda *_: ctx.redis),
        patch.object(dead_letters, "_dead_letters", lambda _: iter(letters(chain))),
        patch.object(index_users, "UserResources", lambda *_: ctx),
    ):
        yield
