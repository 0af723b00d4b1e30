"""What administrators trigger through Flower: its real REST way, with a password, to changed rows."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.flow.conftest import Open
from tests.harness.admin_scenario import arguments, certificates, open_office, row
from tests.harness.installation import Installation
from tests.harness.waiting import wait_until
from tests.servers.ports import free_ports

pytestmark = pytest.mark.slow

LOGIN = ("admin", "correct horse")


class Flower:
    """Flower's REST way, as an administrator with a password uses it."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def apply(self, name: str, **kwargs: Any) -> str:
        """Trigger a task; its id."""
        answer = self.client.post(f"/api/task/async-apply/{name}", json={"kwargs": kwargs})
        assert answer.status_code == 200, answer.text
        task_id: str = answer.json()["task-id"]
        return task_id

    def ended(self, task_id: str) -> dict[str, Any]:
        """State and result of a task, once it has ended."""

        def answer() -> dict[str, Any] | None:
            found: dict[str, Any] = self.client.get(f"/api/task/result/{task_id}").json()
            return found if found["state"] in {"SUCCESS", "FAILURE"} else None

        found = wait_until(answer, seconds=60, what="the task's end")
        assert found is not None
        return found


@contextmanager
def open_flower(installation: Installation) -> Iterator[Flower]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "celery", "-A", "lern_tasks", "flower"]
    command += [f"--basic-auth={':'.join(LOGIN)}", f"--port={port}", "--address=127.0.0.1"]
    installation.system._start("flower", command, {})
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=LOGIN, timeout=20, trust_env=False) as client:
        wait_until(lambda: _up(client), seconds=60, what="Flower")
        yield Flower(client)


def _up(client: httpx.Client) -> bool:
    try:
        return client.get("/healthcheck").status_code == 200
    except httpx.TransportError:
        return False


def start_worker_with_events(installation: Installation) -> None:
    command = [sys.executable, "-m", "celery", "-A", "lern_tasks", "worker", "-c", "2", "-n", "office@%h", "-E"]
    installation.system._start("worker", command, {"REMAP_SIGTERM": "SIGQUIT"})


def test_a_task_triggered_through_flower_changes_the_row(open_installation: Open) -> None:
    installation = open_installation()
    start_worker_with_events(installation)
    scenario = open_office(installation, learners=3)
    one, another, third = (learner.key for learner in scenario.learners)
    batch = {"course_id": one.course_id, "batch_id": one.batch_id}
    with open_flower(installation) as flower:
        for auth in (None, ("admin", "wrong")):
            url = "/api/task/async-apply/lern.reconcile_enrolment"
            refused = httpx.post(f"{flower.client.base_url}{url}", json={"kwargs": arguments(one)}, auth=auth)
            assert refused.status_code == 401

        task_id = flower.apply("lern.reconcile_enrolment", **arguments(one))
        found = flower.ended(task_id)
        assert found["state"] == "SUCCESS"
        assert found["result"]["message"].startswith(
            "2 of 2 required contents are done. The enrolment was not begun and"
        )
        assert (row(installation, one)["status"], row(installation, one)["progress"]) == (2, 2)
        assert row(installation, another)["status"] == 0
        wait_until(lambda: certificates(installation, one) == ["Course Merit"], seconds=60, what="the certificate")

        info = wait_until(lambda: _info(flower, task_id), seconds=20, what="the task in Flower")
        assert info is not None
        assert one.user_id in info["kwargs"]
        assert info["state"] == "SUCCESS"

        flower.ended(flower.apply("lern.reconcile_batch", **batch))
        for key in (another, third):
            wait_until(
                lambda key=key: certificates(installation, key) == ["Course Merit"],  # type: ignore[misc]
                seconds=60,
                what="the batch's certificates",
            )
        dry = flower.ended(flower.apply("lern.issue_batch", **batch))["result"]
        assert (dry["dry_run"], dry["enrolments"], dry["certificates"]) == (True, 3, 0)

        before = row(installation, one)["issued_certificates"][0]["identifier"]
        flower.ended(flower.apply("lern.reissue_certificate", **arguments(one)))
        wait_until(
            lambda: row(installation, one)["issued_certificates"][0]["identifier"] != before,
            seconds=60,
            what="another certificate",
        )
        missing = flower.ended(flower.apply("lern.sweep_missing_certificates", since="2024-01-01"))["result"]
        assert (missing["enrolments"], missing["learners"]) == (3, 0)

        wrong_arguments_are_answered_in_plain_words(flower)
        everything = flower.client.get("/api/tasks").text
        assert "lern.collection_certificate_generator" in everything
        assert "Asha" not in everything
    assert not installation.dead()


def _info(flower: Flower, task_id: str) -> dict[str, Any] | None:
    answer = flower.client.get(f"/api/task/info/{task_id}")
    found: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
    return found if found and found["state"] == "SUCCESS" else None


def wrong_arguments_are_answered_in_plain_words(flower: Flower) -> None:
    unknown = flower.ended(flower.apply("lern.reconcile_enrolment", user_id="x", course_id="y", batch_id="z"))
    assert (unknown["state"], unknown["result"]["found"]) == ("SUCCESS", False)
    assert unknown["result"]["message"].endswith("Nothing was written.")
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("lern.reconcile_enrolment", {"user_id": "x"}, "missing a required argument: 'course_id'"),
        ("lern.reconcile_batch", {"course_id": 7, "batch_id": "z"}, "argument.course_id is a number"),
        ("lern.issue_batch", {"course_id": "y", "batch_id": " "}, "argument.batch_id is blank"),
        ("lern.sweep_missing_certificates", {"since": "soon"}, "argument.since is no date"),
    ]
    for name, kwargs, text in wrong:
        failed = flower.ended(flower.apply(name, **kwargs))
        assert failed["state"] == "FAILURE"
        assert text in failed["result"]
