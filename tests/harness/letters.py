"""The dead letters of a chain, and the commands of people in it."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner, Result

from lern_tasks.cli import task_run
from lern_tasks.cli.__main__ import lern
from lern_tasks.cli.dead_letters import command as dead_letters
from lern_tasks.cli.dead_letters.stored import FailedMessage, StoredDeadLetter
from lern_tasks.cli.index_users import command as index_users
from lern_tasks.operations.missing_certificates import sweep_missing_certificates
from lern_tasks.operations.reconcile import reconcile_batch, reconcile_enrolment
from lern_tasks.operations.reissue import issue_batch, reissue_certificate
from tests.delivery.resumable.long_tasks import LongTasks
from tests.harness.in_process import Chain

OPERATIONS = (reconcile_enrolment, reconcile_batch, reissue_certificate, issue_batch, sweep_missing_certificates)


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
        patch.object(dead_letters, "_dead_letters", lambda _: iter(letters(chain))),
        patch.object(index_users, "UserResources", lambda *_: ctx),
    ):
        yield
