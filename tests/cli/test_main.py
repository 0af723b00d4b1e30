import click
import pytest

from lern_tasks.cli.__main__ import lern
from tests.cli.conftest import Lern

COMMANDS = (
    "demo",
    "doctor",
    "settings",
    "topics",
    "tables",
    "dead-letters",
    "index-users",
    "reconcile",
    "reissue",
    "issue-batch",
    "missing-certificates",
    "rewind",
)


def test_help_names_every_command_whatever_the_settings(lern_command: Lern) -> None:
    result = lern_command("--help", LERN_KAFAK__BROKERS="misspelt")
    assert result.exit_code == 0
    for name in COMMANDS:
        assert name in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_text(lern_command: Lern, name: str) -> None:
    result = lern_command(name, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_what_help_lists_is_what_there_is() -> None:
    context = click.Context(lern)
    listed = lern.list_commands(context)
    assert tuple(listed) == COMMANDS
    assert lern.get_command(context, "delete-everything") is None


def test_an_unknown_command_is_named(lern_command: Lern) -> None:
    result = lern_command("dead-leters")
    assert result.exit_code == 2
    assert "dead-leters" in result.output
