"""How the commands print: tables for people, JSON for programs."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 240
"""Columns when the output is no terminal: wide enough that a line is one row, so that grep finds whole rows."""


def console(*, stderr: bool = False) -> Console:
    """The console; its width is the terminal's."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False, soft_wrap=False)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A table; long cells are folded, never cut."""
    table = Table(
        title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(columns)
    )
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        # Text from events and settings may hold square brackets, which rich would read as markup.
        table.add_row(*[_plain(cell) for cell in row])
    console().print(table)


def _plain(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text.replace("[", "\\[")
