"""Workers: somebody takes from every queue that tasks are sent to."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from redis.exceptions import RedisError

from bridge.publisher import bare_app
from lern_tasks import catalogue
from lern_tasks.catalogue import dashed, queue_name
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, warning
from lern_tasks.cli.doctor.redis import connect
from lern_tasks.delivery.parked_messages import BEAT_SEEN
from lern_tasks.settings import Settings

_ANSWER = 1.5
"""Seconds for workers to say which queues they take from."""

_WORKER = "REMAP_SIGTERM=SIGQUIT celery -A lern_tasks worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue that tasks are sent to, and what happens when nobody takes from it."""

    name: str
    why: str
    jobs: Jobs = ()


def checks(jobs: Jobs) -> list[Check]:
    """Who takes from the queues of `jobs`."""
    return [Check(name="workers", look=partial(_check, jobs), why="tasks wait in their queues")]


def queues(jobs: Jobs) -> list[Queue]:
    """The queues of `jobs`, and those that every installation has."""
    rows = [row for row in catalogue.ROWS.values() if row.scope in jobs]
    # Sorted by whether they follow another job: first those that were asked for.
    return [
        *(
            Queue(name=queue_name(row.name), why=row.waits, jobs=(row.scope,))
            for row in sorted(rows, key=lambda row: row.follows is not None)
        ),
        Queue(name=catalogue.BULK_QUEUE, why="replays, `lern index-users` and what administrators trigger wait"),
        Queue(name=catalogue.MAINTENANCE_QUEUE, why="parked messages and the nightly runs wait"),
    ]


def _check(jobs: Jobs, settings: Settings) -> Iterator[Finding]:
    taken = _taken(settings)
    if taken is None:
        return
    needed = queues(jobs)
    missing = [queue for queue in needed if queue.name not in taken]
    if not taken:
        only = "" if jobs == catalogue.EVENT_JOBS else f" -Q {','.join(queue.name for queue in needed)}"
        yield warning("workers", f"no worker answers within {_ANSWER:g} s", f"{_WORKER}{only}")
    else:
        for queue in missing:
            result = f"no worker takes from the queue `{queue.name}`"
            yield warning("workers", result, f"{_WORKER} -Q {queue.name}", why=queue.why, jobs=queue.jobs)
    if not missing:
        yield ok("workers", f"all {len(needed)} queues are taken from")
    yield from _handed_off(jobs, taken, settings)
    if catalogue.MAINTENANCE_QUEUE in taken and not _beat_seen(settings):
        yield warning(
            "beat", "no task of beat has run lately", "celery -A lern_tasks beat", why="nothing runs at night by itself"
        )


def _handed_off(jobs: Jobs, taken: frozenset[str], settings: Settings) -> Iterator[Finding]:
    """Jobs that are not among `jobs`, get tasks of theirs, and have no worker: a Flink job would not see those."""
    for job in jobs:
        for following in catalogue.ROWS[job].hands_off_to:
            if following in jobs or queue_name(following) in taken or settings.job(following).hand_off == "kafka":
                continue
            yield warning(
                "hand-off",
                f"hands off to {following} by Celery, and no worker takes from `{queue_name(following)}`",
                f"set LERN_{following.upper()}__HAND_OFF=kafka while a Flink job does it, or start a worker: "
                f"{_WORKER} -Q {dashed(following)}",
                why="what it hands off waits in that queue, and a Flink job does not see it",
                jobs=(job,),
            )


def _beat_seen(settings: Settings) -> bool:
    """Whether a task that beat sends each minute has run of late."""
    client = connect(settings.redis_url("state"))
    try:
        return bool(client.exists(BEAT_SEEN))
    except RedisError:
        # Told by the check of Redis.
        return True
    finally:
        client.close()


def _taken(settings: Settings) -> frozenset[str] | None:
    """The queues that workers take from; None when the broker does not answer, which the check of Redis tells."""
    client = connect(settings.redis_url("broker"))
    try:
        client.ping()
    except RedisError:
        return None
    finally:
        client.close()
    found = bare_app(settings).control.inspect(timeout=_ANSWER).active_queues() or {}
    return frozenset(queue["name"] for worker in found.values() for queue in worker)
