"""Which enrolments a batch has, or all there are. See docs/administration.md, "Reconciling a batch".

`user_enrolments` is kept by learner: to find a batch in it the whole table is read and sieved here. Installations have
a copy kept by batch, `report_user_enrolments`, which may be stale: either way the keys are candidates, and whoever
works on one reads its row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lern_tasks.errors import SchemaMismatch
from lern_tasks.logs import logger
from lern_tasks.storage.gateway import Gateway, Row
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import JobTables

_log = logger(__name__)

_KEY = ("userid", "courseid", "batchid")

_COPY = "copy:"
"""How the place in the copy begins: a task that goes on elsewhere goes on with the same table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentPage:
    """Some enrolments, each with the columns that were asked for; perhaps none, and yet more behind `after`.

    `after` resumes behind them, also in another process; None is the end. `done` is how much of the table lies behind,
    from 0 to 1; 0 where that is not known.
    """

    found: Mapping[EnrolmentKey, Row]
    after: str | None
    done: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEnrolments:
    """Looks up enrolments page by page. `use_copy`: `LERN_TASKS__USE_REPORT_ENROLMENTS`."""

    gateway: Gateway
    tables: JobTables
    use_copy: bool = False

    def page(
        self,
        *,
        course_id: str | None = None,
        batch_id: str | None = None,
        columns: Sequence[str] = (),
        after: str | None = None,
        limit: int,
    ) -> EnrolmentPage:
        """The next enrolments of that course and batch, None for any; about `limit` rows are read. Raises LernError.

        The copy has no further columns: asked for some, the enrolments themselves are read.
        """
        if after is not None and not after.startswith(_COPY):
            return self._sieved(course_id, batch_id, columns, after, limit)
        if course_id and batch_id and not columns and self._copy_is_there():
            try:
                return self._copied(course_id, batch_id, after, limit)
            except SchemaMismatch as differs:
                _log.warning("report_enrolments_not_used", reason=str(differs))
        return self._sieved(course_id, batch_id, columns, None, limit)

    def _copy_is_there(self) -> bool:
        copy = self.tables.report_enrolments
        return self.use_copy and self.gateway.present(copy) >= set(copy.columns)

    def _copied(self, course_id: str, batch_id: str, after: str | None, limit: int) -> EnrolmentPage:
        user = None if after is None else after.removeprefix(_COPY)
        prefix = (batch_id, course_id)
        page = self.gateway.select_page(self.tables.report_enrolments, prefix, ("userid",), after=user, limit=limit)
        keys = (EnrolmentKey(user_id=row["userid"], course_id=course_id, batch_id=batch_id) for row in page.rows)
        behind = None if page.after is None else _COPY + page.after
        return EnrolmentPage(found={key: {} for key in keys}, after=behind, done=page.done)

    def _sieved(
        self, course_id: str | None, batch_id: str | None, columns: Sequence[str], after: str | None, limit: int
    ) -> EnrolmentPage:
        names = tuple(dict.fromkeys((*_KEY, *columns)))
        page = self.gateway.scan(self.tables.enrolments, names, after=after, limit=limit)
        found = {
            EnrolmentKey(user_id=row["userid"], course_id=row["courseid"], batch_id=row["batchid"]): {
                name: row[name] for name in columns
            }
            for row in page.rows
            if course_id in {None, row["courseid"]} and batch_id in {None, row["batchid"]}
        }
        return EnrolmentPage(found=found, after=page.after, done=page.done)
