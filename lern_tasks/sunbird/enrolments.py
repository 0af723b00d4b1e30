"""`user_enrolments`: one learner in one batch of a course. See docs/jobs/activity_aggregate_updater.md, "Rows"."""

from collections.abc import Mapping, Sequence
from typing import Any

from lern_tasks.errors import LernError
from lern_tasks.storage.gateway import Gateway, Mutation, PutCells, ReplaceCollection, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


def row_key(key: EnrolmentKey) -> tuple[str, ...]:
    """The key of the row."""
    return (key.user_id, key.course_id, key.batch_id)


class Enrolments:
    """The rows of enrolments; changes are made here and applied by who makes them, with others of the same message."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def read_rows(
        self, keys: Sequence[EnrolmentKey], columns: Sequence[str]
    ) -> dict[EnrolmentKey, Row | None | LernError]:
        """The named columns of each row, None where there is no row."""
        by_row = {key: row_key(key) for key in keys}
        found = self._gateway.get_many(self._table, list(by_row.values()), columns)
        return {key: found[row] for key, row in by_row.items()}

    def put(self, key: EnrolmentKey, cells: Mapping[str, Any], *, timestamp: int) -> Mutation:
        """The change that sets whole columns, maps too, in one statement."""
        return PutCells(table=self._table, key=row_key(key), cells=cells, timestamp=timestamp)

    def replace_certificates(
        self, key: EnrolmentKey, certificates: Sequence[Mapping[str, str]], *, timestamp: int
    ) -> Mutation:
        """The change that replaces the whole list of issued certificates."""
        return ReplaceCollection(
            table=self._table,
            key=row_key(key),
            column="issued_certificates",
            value=[dict(certificate) for certificate in certificates],
            timestamp=timestamp,
        )
