"""Sends a task that administrators trigger, and follows it to its end. See docs/administration.md, "Commands"."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import uuid4

from celery import Celery, states
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from bridge.publisher import bare_app
from lern_tasks import settings
from lern_tasks.catalogue import BULK_QUEUE
from lern_tasks.cli.printing import console, print_json, say
from lern_tasks.cli.run_display import RunDisplay
from lern_tasks.delivery.task_sender import Sender
from lern_tasks.errors import DependencyDown, LernError

_LOOK_EVERY = 0.2
"""Seconds between two looks at the task's state: one small read of Redis each."""

_NO_SIGN = 5.0
"""Seconds without a sign of the task after which it is asked whether there is a worker at all."""

_ANSWER = 1.5
"""Seconds for workers to say which queues they take from."""

_STOPPED = 130
"""The shell's exit status for Ctrl-C."""


class NoWorker(LernError):
    """Nobody takes tasks from the queue."""

    code = "NO_WORKER"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: with a result, or with the text of its error."""

    task_id: str
    result: Mapping[str, Any] | None
    error: str = ""


def run(name: str, arguments: Mapping[str, Any], *, wait: bool, as_json: bool) -> Mapping[str, Any]:
    """Send the task and follow it; its result, which with `as_json` is printed already.

    Ends the command where there is no result: with 0 when it is not waited for, 1 when the task failed. Raises NoWorker
    and DependencyDown.
    """
    values = settings.load()
    task_id = str(uuid4())
    sender = Sender(bare_app(values))
    try:
        sender.send_named(name, arguments, task_id=task_id, queue=BULK_QUEUE)
    finally:
        sender.close()
    if not wait:
        _leave(task_id, as_json=as_json)
    try:
        with RunDisplay(console(stderr=True), quiet=as_json) as display:
            ended = _Follow(bare_app(values, with_results=True), task_id, display).to_the_end()
    except KeyboardInterrupt:
        say(f"The task goes on without you: {task_id}", err=True)
        sys.exit(_STOPPED)
    return _result(ended, as_json=as_json)


def _leave(task_id: str, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"task_id": task_id})
    else:
        say(task_id)
    sys.exit(0)


def _result(ended: Ended, *, as_json: bool) -> Mapping[str, Any]:
    if as_json:
        print_json({"task_id": ended.task_id, "result": ended.result, "error": ended.error or None})
    if ended.result is None:
        if not as_json:
            say(f"The task failed: {ended.error}", err=True)
        sys.exit(1)
    return ended.result


class _Follow:
    """Reads a task's state until it has ended."""

    def __init__(self, app: Celery, task_id: str, display: RunDisplay) -> None:
        self._app = app
        self._task_id = task_id
        self._display = display
        self._seen: Any = None
        self._sign = time.monotonic()

    def to_the_end(self) -> Ended:
        """Show how far the task is, and how it ended. Raises NoWorker when nobody begins it, and DependencyDown."""
        while True:
            meta = self._meta()
            status, value = meta["status"], meta["result"]
            if status == states.SUCCESS:
                return Ended(self._task_id, value)
            if status in states.EXCEPTION_STATES:
                return Ended(self._task_id, None, str(value) or status)
            self._show(value if status != states.PENDING else None)
            time.sleep(_LOOK_EVERY)

    def _meta(self) -> Mapping[str, Any]:
        try:
            meta: Mapping[str, Any] = self._app.backend.get_task_meta(self._task_id)
        except (RedisError, OperationalError, OSError, RuntimeError) as error:
            raise DependencyDown("redis", f"the results' Redis does not answer: {error}") from error
        return meta

    def _show(self, shown: Mapping[str, Any] | None) -> None:
        if shown != self._seen:
            self._seen, self._sign = shown, time.monotonic()
        doing, done = ("waiting for a worker", 0.0) if shown is None else (_doing(shown), shown["done"])
        if time.monotonic() - self._sign > _NO_SIGN:
            if not self._taken():
                if shown is None:
                    raise NoWorker(_no_worker(self._task_id))
                doing = f"no worker takes from `{BULK_QUEUE}` now; {doing}"
            self._sign = time.monotonic()
        self._display.show(doing, done)

    def _taken(self) -> bool:
        """Whether some worker takes from the queue."""
        try:
            queues = self._app.control.inspect(timeout=_ANSWER).active_queues() or {}
        except (RedisError, OperationalError, OSError) as error:
            raise DependencyDown("broker", f"the task broker does not answer: {error}") from error
        return any(queue["name"] == BULK_QUEUE for worker in queues.values() for queue in worker)


def _doing(shown: Mapping[str, Any]) -> str:
    return f"{shown['doing']} ({shown['note']})" if shown["note"] else str(shown["doing"])


def _no_worker(task_id: str) -> str:
    return (
        f"no worker takes from the queue `{BULK_QUEUE}`; start one: "
        f"REMAP_SIGTERM=SIGQUIT celery -A lern_tasks worker -Q {BULK_QUEUE}\n"
        f"The task waits there and runs as soon as one does: {task_id}"
    )
