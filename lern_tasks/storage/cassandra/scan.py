"""Reading a whole table in Cassandra, page by page, in the order of its partitions' tokens."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from cassandra.cluster import Session

from lern_tasks.errors import LernError
from lern_tasks.storage.cassandra.session import Call
from lern_tasks.storage.cassandra.statements import token_of
from lern_tasks.storage.cassandra.values import row_of
from lern_tasks.storage.gateway import Page
from lern_tasks.storage.table import Table

_TOKENS = 2**64
"""Tokens are 64-bit numbers, from -2**63."""


def next_page(
    session: Session, statement: Any, *, table: Table, columns: Sequence[str], limit: int, timeout: float
) -> Page:
    """The rows of the partitions that `statement` finds first, about `limit` of them, whole partitions.

    The server's pages end anywhere; the next scan begins again with the partition at the end of the page. A partition
    larger than a page is read to its end, so that a scan always comes on. Raises LernError.
    """
    statement.fetch_size = max(1, limit)
    call = Call(session, statement, timeout)
    rows: list[dict[str, Any]] = []
    for page in call.pages():
        if isinstance(page, LernError):
            raise page
        rows += page
        if not call.has_more_pages:
            break
        whole = _whole(rows)
        if whole:
            last = token_of(whole[-1])
            done = (last + _TOKENS // 2) / _TOKENS
            return Page(rows=[row_of(table, row, columns) for row in whole], after=str(last), done=done)
    return Page(rows=[row_of(table, row, columns) for row in rows], after=None, done=1.0)


def _whole(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The rows without those of the last token, of which there may be more."""
    if not rows or token_of(rows[0]) == token_of(rows[-1]):
        return []
    last = token_of(rows[-1])
    cut = sum(1 for _ in takewhile(lambda row: token_of(row) == last, reversed(rows)))
    return rows[:-cut]
