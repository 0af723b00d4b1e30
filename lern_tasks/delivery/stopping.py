"""How a worker stops. See docs/operations.md, "Stopping".

Celery's own way sleeps out the whole soft shutdown inside the signal's handler, where no result is taken and no message
acknowledged, and talks to a broker that may be frozen for as long as that takes. Here the event loop goes on until the
running tasks have ended, and an alarm ends the process when anything on the way out hangs.
"""

import os
import signal
import sys
from time import monotonic
from typing import Any

from billiard import active_children
from celery import bootsteps
from celery.apps.worker import safe_say
from celery.platforms import EX_FAILURE
from celery.worker import state

_GRACE = 8
"""Seconds beyond the soft shutdown for giving back what is left: together below the 30 s that orchestrators wait."""


class Stopping(bootsteps.StartStopStep):
    """The worker's step that takes over SIGTERM where REMAP_SIGTERM=SIGQUIT asks for an end in time."""

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._worker = worker
        self._soft = int(worker.app.conf.worker_soft_shutdown_timeout)
        self._until: float | None = None

    def start(self, parent: Any) -> None:
        """Take the signals; Celery's own handlers are in place by now."""
        del parent
        if os.environ.get("REMAP_SIGTERM") == "SIGQUIT":
            for number in (signal.SIGTERM, signal.SIGQUIT):
                signal.signal(number, self._asked)
            signal.signal(signal.SIGALRM, _end_now)

    def register_with_event_loop(self, parent: Any, hub: Any) -> None:
        """Look at every turn of the loop whether it is time; called at each connection to the broker."""
        del parent
        hub.on_tick.add(self._look)

    def _asked(self, *_: object) -> None:
        """The first signal lets running tasks end, the second does not."""
        if self._until is not None:
            self._until = 0.0
            safe_say("worker: stopping now; what runs goes back to its queue", sys.__stdout__)
            return
        self._until = monotonic() + self._soft
        safe_say(
            f"worker: stopping; running tasks have {self._soft} s, what is left then goes back to its queue",
            sys.__stdout__,
        )
        if self._worker.consumer is None or self._worker.consumer.connection is None:
            # No loop takes results while there is no broker: nothing can be acknowledged.
            state.should_terminate = EX_FAILURE
            signal.alarm(_GRACE)
        else:
            signal.alarm(self._soft + _GRACE)

    def _look(self) -> None:
        consumer = self._worker.consumer
        if self._until is None or state.should_terminate:
            return
        if consumer.task_consumer:
            consumer.task_consumer.cancel()
        if state.reserved_requests and monotonic() < self._until:
            return
        signal.alarm(_GRACE)
        consumer.cancel_active_requests()
        state.should_terminate = EX_FAILURE
        self._worker.pool.stop()


def _end_now(*_: object) -> None:
    """As a kill would: no message is lost, those of this worker come back after the visibility timeout."""
    safe_say("worker: something hangs; ending without giving messages back, which others do later", sys.__stdout__)
    for child in active_children():
        os.kill(child.pid, signal.SIGKILL)
    os._exit(EX_FAILURE)
