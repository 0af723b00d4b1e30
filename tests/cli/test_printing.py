"""What commands print reaches a terminal as text: nothing of strangers' ids, keys and texts is obeyed by it."""

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.cli import printing, task_run
from lern_tasks.errors import InvalidEvent
from tests.cli.conftest import Lern, event

CLI = Path(printing.__file__).parent
HOSTILE = "u1\x1b[2J\x1b]0;owned\x07\x9b31m\x7f\u202e\r"
TOPIC = "dev.activity.agg.failed"
PRINTS = {"print", "click.echo", "click.secho", "Console", "rich.print", "sys.stdout.write", "sys.stderr.write"}
JOINERS = "\u200c\u200d"


def obeyed(output: str) -> list[str]:
    """What a terminal would not just show."""
    return [character for character in output if not character.isprintable() and character not in f"\n{JOINERS}"]


@given(st.text())
def test_what_is_not_to_be_seen_is_shown_as_an_escape(text: str) -> None:
    shown = printing.printable(text)
    assert obeyed(shown.replace("\n", "\r")) == []
    if text.isprintable():
        assert shown == text


@given(st.text(st.characters(codec="utf-8")))
def test_json_is_the_same_and_has_nothing_to_obey(text: str) -> None:
    written = printing.json_text({text: text})
    assert json.loads(written) == {text: text}
    assert obeyed(written) == []


def test_names_in_indian_scripts_stay_as_they_are() -> None:
    name = "\u0915\u094d\u200d\u0937"
    assert printing.printable(name) == name


@pytest.mark.parametrize("width", [80, 240])
def test_dead_letters_send_no_escapes(
    lern_command: Lern, bury: Callable[..., None], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(printing, "_PIPE_WIDTH", width)
    event_ = event(HOSTILE, courseId=HOSTILE, batchId="[bold]")
    # Not JSON any more, and shown as it came.
    raw = event_.replace(b"\\u001b", b"\x1b")
    bury(event_, raw, error=InvalidEvent(f"wrong: {HOSTILE}", "edata.x"), key=HOSTILE.encode())
    for command in (
        ("list",),
        ("list", "--json"),
        ("list", "--causes"),
        ("show", TOPIC, "0", "1"),
        ("show", TOPIC, "0", "1", "--json"),
        ("replay", "--all", "--dry-run"),
        ("replay", "--all", "--dry-run", "--json"),
    ):
        result = lern_command("dead-letters", *command)
        assert result.exit_code == 0
        assert obeyed(result.output) == [], command


@pytest.mark.parametrize(
    ("command", "result"),
    [
        (("reconcile", "u1", "c1", "b1"), {"message": HOSTILE, "found": True}),
        (("reissue", "u1", "c1", "b1"), {"message": HOSTILE, "found": True, "asked": True, "templates": []}),
        (
            ("issue-batch", "c1", "b1"),
            {
                "message": HOSTILE,
                "found": True,
                "failed": 0,
                "broken": {},
                "groups": {HOSTILE: 1},
                "first": [{"user_id": HOSTILE, "course_id": "[/]", "batch_id": "b", "certificate": HOSTILE}],
            },
        ),
    ],
)
def test_what_a_task_says_sends_no_escapes(
    lern_command: Lern, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], result: dict[str, object]
) -> None:
    monkeypatch.setattr(task_run, "run", lambda *_, **__: result)
    shown = lern_command(*command).output
    assert "u1\\x1b[2J" in shown
    assert obeyed(shown) == []


def test_an_error_sends_no_escapes(lern_command: Lern, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise InvalidEvent(HOSTILE)

    monkeypatch.setattr(task_run, "run", fail)
    assert obeyed(lern_command("reconcile", "u1", "c1", "b1").output) == []


def test_nothing_else_prints() -> None:
    """What would print past `printing` is found here, in whatever command it is."""
    past = [
        f"{path.relative_to(CLI)}: {ast.unparse(call.func)}"
        for path in CLI.rglob("*.py")
        if path.name not in {"printing.py", "configuration_page.py"}
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in PRINTS
    ]
    assert past == []
