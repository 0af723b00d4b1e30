"""Names, phone numbers and places of people are in no log line, no task argument that Flower shows, and no result."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.flow.conftest import Open
from tests.harness.bad_events import changed
from tests.harness.installation import GENERATE, ISSUE, PROGRESS, Installation
from tests.harness.mixed_workload import every_event, exam_course, make_everything
from tests.harness.requests import generate

pytestmark = pytest.mark.slow

SECRETS = ("Zebunnisa", "Quetzalcoatl", "9812345621", "98******21", "enc-mail-77", "Wokingham", "Govt High School")


def person(user_id: str) -> dict[str, Any]:
    """What the user service tells of a user, with everything that must not be seen."""
    first, last, phone, masked, mail, place, school = SECRETS
    return {
        "userId": user_id,
        "firstName": first,
        "lastName": last,
        "rootOrgId": "org",
        "encPhone": phone,
        "maskedPhone": masked,
        "encEmail": mail,
        "userLocations": [
            {"type": "district", "name": place, "code": "1"},
            {"type": "school", "name": school, "code": "2"},
        ],
    }


@contextmanager
def task_events(installation: Installation) -> Iterator[list[str]]:
    """All that workers tell of their tasks, as Flower hears it."""
    found: list[str] = []
    stop = threading.Event()
    app = installation.system.ctx.app

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": lambda event: found.append(json.dumps(event))})
            while not stop.is_set():
                try:
                    receiver.capture(limit=None, timeout=0.5, wakeup=False)
                except TimeoutError:
                    continue

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join(timeout=10)


def test_nothing_personal_is_shown(open_installation: Open) -> None:
    installation = open_installation()
    scenario = make_everything(41, learners=15, courses=[exam_course("a")])
    installation.seed(scenario)
    users = [learner.key.user_id for learner in scenario.learners]
    installation.platform.add(users={user: person(user) for user in users})
    key = scenario.learners[0].key
    personal = generate(key=key, data=[{"recipientName": SECRETS[0], "recipientId": key.user_id}])
    with task_events(installation) as told:
        installation.system.worker_arguments = ["-E"]
        installation.system.start_worker()
        installation.system.start_bridge()
        installation.publish(scenario)
        # What fails must not be told either: a bad date, a name where an id belongs, and no JSON at all.
        installation.produce(GENERATE, [("bad", changed(personal, "issuedDate", SECRETS[1]))])
        installation.produce(PROGRESS, [("bad", f'{{"edata": {SECRETS[0]}'.encode())])
        installation.produce(ISSUE, [("bad", {"edata": {"action": "issue-certificate", "userIds": SECRETS[0]}})])
        for topic, record_key, event in every_event(scenario, 41):
            installation.produce_later(topic, record_key, event)
        installation.flush()
        installation.wait_for(scenario)
        installation.wait_idle()
    assert len(installation.dead()) == 3
    assert any("task-received" in event for event in told)
    results = installation.system.ctx.redis.client("results")
    kept = [str(results.get(name)) for name in results.scan_iter("celery-task-meta-*")]
    shown = "\n".join([installation.system.logs(), *told, *kept])
    assert [secret for secret in SECRETS if secret in shown] == []
