"""Sending a task and following it, without a worker: what the state in Redis says is what the command says."""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from celery import Celery, states
from rich.console import Console

from lern_tasks.cli import task_run
from lern_tasks.cli.run_display import RunDisplay
from lern_tasks.demo.servers.redis import Redis
from lern_tasks.errors import InvalidArgument
from tests.cli.conftest import Lern

# Celery's own way of storing a result.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")

KEY = ("u1", "do_c1", "b1")


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with Redis() as redis:
        yield redis


@pytest.fixture
def worker(server: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`worker(states...)`: what a worker has stored for the next task at each look, one state after the other."""
    backend = Celery("worker", backend=f"{server.url}/0").backend
    monkeypatch.setattr(task_run, "_LOOK_EVERY", 0.05)
    monkeypatch.setattr(task_run, "uuid4", lambda: "the-id")
    backend.forget("the-id")
    coming: list[tuple[str, Any]] = []
    look = task_run._Follow._meta

    def store_and_look(self: Any) -> Mapping[str, Any]:
        if coming:
            state, value = coming.pop(0)
            backend.store_result("the-id", value, state)
        return look(self)

    monkeypatch.setattr(task_run._Follow, "_meta", store_and_look)

    def play(*states: tuple[str, Any]) -> None:
        coming.extend(states)

    yield play
    backend.forget("the-id")


@pytest.fixture
def lern_here(lern_command: Lern, server: Redis) -> Lern:
    def run(*arguments: str) -> Any:
        return lern_command(*arguments, LERN_REDIS__URL=server.url)

    return run


def progress(done: float, note: str = "") -> tuple[str, Any]:
    return "PROGRESS", {"doing": "reconciling the enrolment", "done": done, "note": note, "result": {}}


def test_the_answer_in_words(lern_here: Lern, worker: Callable[..., None]) -> None:
    worker(
        progress(0.0), progress(0.5, "waiting for cassandra"), (states.SUCCESS, {"found": True, "message": "Mended."})
    )
    result = lern_here("reconcile", *KEY)
    assert (result.exit_code, result.stdout) == (0, "Mended.\n")
    assert "reconciling the enrolment (waiting for cassandra): 50%" in result.stderr


def test_the_answer_as_json(lern_here: Lern, worker: Callable[..., None]) -> None:
    worker((states.SUCCESS, {"found": False, "message": "There is no such batch."}))
    result = lern_here("reconcile", "--course", "do_c1", "--batch", "b9", "--json")
    assert result.exit_code == 1
    assert '"task_id": "the-id"' in result.stdout
    assert '"found": false' in result.stdout
    assert not result.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_a_task_that_fails(lern_here: Lern, worker: Callable[..., None], as_json: bool) -> None:
    worker((states.FAILURE, InvalidArgument("argument.user_id is a number; send the id as text")))
    result = lern_here("reissue", *KEY, *(["--json"] if as_json else []))
    assert result.exit_code == 1
    assert "argument.user_id is a number; send the id as text" in result.output


def test_a_task_that_was_revoked(lern_here: Lern, worker: Callable[..., None]) -> None:
    worker((states.REVOKED, None))
    result = lern_here("reissue", *KEY)
    assert result.exit_code == 1
    assert "The task failed" in result.stderr


def test_nobody_takes_from_the_queue(
    lern_here: Lern, worker: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_run, "_NO_SIGN", 0.1)
    monkeypatch.setattr(task_run, "_ANSWER", 0.1)
    result = lern_here("issue-batch", "do_c1", "b1")
    assert result.exit_code == 2
    assert "no worker takes from the queue `bulk`; start one: " in result.stderr
    assert "celery -A lern_tasks worker -Q bulk" in result.stderr


def test_a_task_whose_worker_went_away_is_still_followed(
    lern_here: Lern, worker: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_run, "_NO_SIGN", 0.05)
    monkeypatch.setattr(task_run, "_ANSWER", 0.05)
    worker(progress(0.25))
    show = RunDisplay.show

    def show_and_end(self: RunDisplay, doing: str, done: float) -> None:
        """The silence lasts until it was told, however long that takes here."""
        show(self, doing, done)
        if doing.startswith("no worker"):
            worker((states.SUCCESS, {"found": True, "message": "Mended."}))

    monkeypatch.setattr(RunDisplay, "show", show_and_end)
    result = lern_here("reconcile", *KEY)
    assert result.exit_code == 0
    assert "no worker takes from `bulk` now; reconciling the enrolment: 25%" in result.stderr


def test_not_waiting_prints_the_id(lern_here: Lern, worker: Callable[..., None]) -> None:
    assert lern_here("missing-certificates", "--no-wait").stdout == "the-id\n"
    assert '"task_id": "the-id"' in lern_here("issue-batch", "c", "b", "--no-wait", "--json").stdout


def test_ctrl_c_leaves_the_task_and_names_it(
    lern_here: Lern, worker: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_self: object, _doing: str, _done: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RunDisplay, "show", interrupted)
    result = lern_here("reconcile", *KEY)
    assert result.exit_code == 130
    assert "The task goes on without you: the-id" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("reconcile",),
        ("reconcile", "u1", "do_c1"),
        ("reconcile", *KEY, "--course", "do_c1"),
        ("reconcile", "--course", "do_c1"),
        ("reconcile", "", "do_c1", "b1"),
        ("reconcile", "--course", " ", "--batch", "b1"),
        ("reissue", "u1", "do_c1"),
        ("reissue", "u1", " ", "b1"),
        ("issue-batch", "do_c1"),
        ("issue-batch", "do_c1", ""),
        ("missing-certificates", "--since", "last week"),
    ],
)
def test_wrong_arguments_send_nothing(lern_here: Lern, server: Redis, arguments: tuple[str, ...]) -> None:
    result = lern_here(*arguments)
    assert result.exit_code == 2
    assert "Error" in result.stderr


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1"])
def test_a_broker_that_does_not_answer(lern_command: Lern, url: str) -> None:
    result = lern_command("reconcile", *KEY, LERN_REDIS__URL=url)
    assert result.exit_code == 2
    assert "the task broker does not answer" in result.stderr


def test_a_bar_on_a_terminal_and_lines_elsewhere() -> None:
    lines = io.StringIO()
    with RunDisplay(Console(file=lines), quiet=False) as display:
        display.show("looking [1]", 0.25)
        display.show("looking [1]", 0.5)
    assert lines.getvalue() == "looking [1]: 25%\n"
    terminal = io.StringIO()
    with RunDisplay(Console(file=terminal, force_terminal=True, width=80), quiet=False) as display:
        display.show("looking [1]", 0.5)
    assert "looking [1]" in terminal.getvalue()
    silent = io.StringIO()
    with RunDisplay(Console(file=silent), quiet=True) as display:
        display.show("looking", 0.5)
    assert not silent.getvalue()
