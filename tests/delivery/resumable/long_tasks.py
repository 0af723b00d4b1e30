"""Long tasks run in this process: messages with keyword arguments, and those for the jobs, until none is left."""

from collections import deque
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

from celery.exceptions import Ignore

from lern_tasks.catalogue import EVENT_JOBS
from lern_tasks.delivery import resources
from tests.harness.crash_injection import Died, Life
from tests.harness.fake_resources import SentNamed
from tests.harness.in_process import Chain

ONE_PAGE = {f"LERN_{job.upper()}__SOFT_TIME_LIMIT": "0" for job in EVENT_JOBS}
"""Settings with which a message does one page, and no outage is waited for in place."""


class LongTasks:
    """Runs resumable tasks in the environment of a chain; `results` holds what each task id ended with."""

    def __init__(self, chain: Chain, *tasks: Any) -> None:
        self.chain = chain
        self.results: dict[str, Any] = {}
        self.ran: list[SentNamed] = []
        self._tasks: Mapping[str, Any] = {task.name: task for task in tasks}
        self._queue: deque[SentNamed] = deque()
        self._taken = self._started = len(chain.sender.named)

    def start(self, name: str, /, **kwargs: Any) -> str:
        """Send a task as an administrator does; its id."""
        self._started += 1
        task_id = f"run-{self._started}"
        self.chain.sender.send_named(name, kwargs, task_id=task_id, queue="bulk")
        return task_id

    def run(self, message: SentNamed) -> Any:
        """Run one message; the result, or None when the task goes on in another message. Raises what it ends with."""
        task = self._tasks[message.name]
        self.ran.append(message)
        self.chain.ctx.time_ms = self.chain.time_ms
        task.push_request(id=message.task_id)
        try:
            with patch.object(resources, "_resources", self.chain.ctx):
                return task.run(**message.kwargs)
        except Ignore:
            return None
        finally:
            task.pop_request()

    def drain(self, *lives: int, jobs: bool = False) -> list[str]:
        """Run messages until none is left, and give the effects; processes die before the effects `lives`.

        What died is delivered again after the others. With `jobs` also what was sent to the jobs runs at the end.
        """
        ends = list(lives)
        effects: list[str] = []
        self.chain.new_ctx(Life(ends.pop(0) if ends else None))
        while self._collect():
            message = self._queue.popleft()
            self.chain.time_ms += int((message.countdown or 0) * 1000)
            try:
                result = self._ended(message)
                self.chain.life.effect("acknowledge")
            except Died:
                self._queue.append(message)
                effects += self.chain.life.effects
                self.chain.new_ctx(Life(ends.pop(0) if ends else None))
                continue
            if result is not None:
                self.results[message.task_id] = result
        effects += self.chain.life.effects
        if jobs:
            self.chain.drain()
        return effects

    def finish(self, name: str, /, **kwargs: Any) -> Any:
        """Start a task, let it end, and give its result. Raises the error that it ends with."""
        task_id = self.start(name, **kwargs)
        self.drain()
        result = self.results[task_id]
        if isinstance(result, Exception):
            raise result
        return result

    def deliver_again(self, message: SentNamed) -> Any:
        """Run a message once more."""
        return self.run(message)

    def _ended(self, message: SentNamed) -> Any:
        try:
            return self.run(message)
        except Exception as error:  # what a task ends with is its result
            return error

    def _collect(self) -> int:
        for sent in self.chain.sender.named[self._taken :]:
            self._queue.append(sent)
            self._taken += 1
        return len(self._queue)
