"""`lern`: every subcommand by name; only the one that is called is imported. See docs/operations.md."""

import logging
from importlib import import_module
from typing import Any

import click

from lern_tasks.cli.printing import printable
from lern_tasks.errors import LernError

_COMMANDS = {
    "demo": "a course, learners and certificates on this machine, from Python alone",
    "doctor": "reach every dependency, check what must hold, say what to do",
    "settings": "every setting: its value, and the documented key that it replaces",
    "topics": "create the topics that the jobs need, or check them",
    "tables": "create the tables that are this project's own, or check them",
    "dead-letters": "list, show and replay what failed for good",
    "index-users": "fill the user cache, which reports read, from the user tables",
    "reconcile": "compute an enrolment again, or all of a batch",
    "reissue": "issue the certificates of an enrolment again",
    "issue-batch": "issue what the learners of a batch have earned and lack",
    "missing-certificates": "find who is complete and has no certificate",
    "rewind": "let a job read its topic again from a time on",
}

_OF_SEVERAL_FILES = {"doctor", "dead-letters", "index-users"}


class CannotRun(click.ClickException):
    """The command could not do its work; the message says why."""

    exit_code = 2


class Commands(click.Group):
    """The subcommands, imported when they are called: `lern --help` and `lern demo` need no settings to be right."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The names, in the order in which a new user needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """The command called `cmd_name`, or None."""
        if cmd_name not in _COMMANDS:
            return None
        own = cmd_name.replace("-", "_")
        module = import_module(
            f"lern_tasks.cli.{own}.command" if cmd_name in _OF_SEVERAL_FILES else f"lern_tasks.cli.{own}"
        )
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The overview, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours is a message, not a trace."""
        try:
            return super().invoke(ctx)
        except LernError as error:
            raise CannotRun(printable(error, keep="\n")) from error


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lern-tasks")
def lern() -> None:
    """Sunbird Lern's event jobs as a Celery task queue.

    Settings come from the environment (LERN_...). Exit status: 0 fine, 1 something was found, 2 could not run.
    """
    # What a command has to say it prints itself; libraries' log lines belong to the processes that run for long.
    logging.getLogger().addHandler(logging.NullHandler())


def main() -> None:
    """The console script."""
    lern(prog_name="lern")


if __name__ == "__main__":
    main()
