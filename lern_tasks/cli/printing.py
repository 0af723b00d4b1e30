"""How the commands print: tables for people, JSON for programs. The only place from which text reaches a terminal.

Ids, keys and texts come from strangers' events and rows: what a terminal would obey is shown, not sent. See
docs/operations.md, "When something fails".
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 240
"""Columns when the output is no terminal: wide enough that a line is one row, so that grep finds whole rows."""

_JOINERS = "\u200c\u200d"
"""Invisible, and part of correct text in many Indian scripts."""


def console(*, stderr: bool = False) -> Console:
    """The console; its width is the terminal's."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False, soft_wrap=False)


def printable(text: object, *, keep: str = "") -> str:
    r"""The text with what is not to be seen as `\x1b` and the like; the characters of `keep` stay as they are."""
    found = "" if text is None else str(text)
    if found.isprintable():
        return found
    shown = keep + _JOINERS
    return "".join(c if c.isprintable() or c in shown else c.encode("unicode_escape").decode() for c in found)


def say(text: object, *, err: bool = False) -> None:
    """Lines of text on standard output, or on standard error."""
    click.echo(printable(text, keep="\n\t"), err=err)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """The value as JSON that a terminal only shows: what JSON itself lets stand in texts is written as an escape."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return "".join(map(_json_character, text))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A table; long cells are folded, never cut."""
    table = Table(
        title=Text(printable(title)) if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_header=any(columns),
    )
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        # Not as markup: text from events and settings may hold square brackets.
        table.add_row(*[Text(printable(cell)) for cell in row])
    console().print(table)


def _json_character(character: str) -> str:
    if character.isprintable() or character == "\n" or character in _JOINERS:
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
