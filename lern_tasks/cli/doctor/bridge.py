"""The bridge: somebody reads each topic, and keeps up with it."""

from collections.abc import Iterator
from functools import partial

from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, warning
from lern_tasks.cli.group_offsets import members_of, plan
from lern_tasks.errors import DependencyDown, RefusedByService
from lern_tasks.settings import Settings

_ANSWER = 5.0
"""Seconds for the brokers to say who is in a group; some do not answer at all."""


def checks(jobs: Jobs) -> list[Check]:
    """Who reads the topics of `jobs`, and how far behind."""
    return [Check(name="bridge", look=partial(_check, jobs), why="events wait in their topic")]


def _check(jobs: Jobs, settings: Settings) -> Iterator[Finding]:
    groups = {job: settings.topic(settings.job(job).kafka_groupid) for job in jobs}
    try:
        found = members_of(settings, list(groups.values()), timeout=_ANSWER)
    except DependencyDown:
        # Told by the check of Kafka.
        return
    if all(members is None for members in found.values()):
        yield ok("bridge", "the brokers cannot be asked who reads: look at the bridge's line `bridge_ready`")
        return
    for job, group in groups.items():
        topic = settings.topic(settings.job(job).kafka_input_topic)
        if found[group] == 0:
            result = f"nobody reads {topic}: the group {group} has no members"
            yield warning("bridge", result, f"python -m bridge --job {job}", jobs=(job,))
        behind = _behind(settings, topic, group)
        if behind > settings.bridge.high_mark:
            result = f"{group} is {behind:,} records of {topic} behind"
            yield warning("bridge", result, "start more workers of this job, and look at what they log", jobs=(job,))
        elif found[group]:
            yield ok("bridge", f"{group} has {found[group]} members and is {behind:,} records behind", jobs=(job,))


def _behind(settings: Settings, topic: str, group: str) -> int:
    try:
        plans = plan(settings, topic, group, None)
    except (DependencyDown, RefusedByService):
        # No such topic, or no Kafka: told by other checks.
        return 0
    return sum(each.end - (each.begin if each.committed is None else each.committed) for each in plans)
