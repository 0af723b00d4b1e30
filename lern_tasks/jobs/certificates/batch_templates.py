"""`course_batch`: the certificate templates of a batch. See docs/jobs/collection_cert_pre_processor.md, "Rows"."""

from collections.abc import Mapping, Sequence

from lern_tasks.errors import LernError
from lern_tasks.storage.gateway import Gateway
from lern_tasks.storage.table import Table

Templates = Mapping[str, Mapping[str, str]]
"""Template id to the template's texts, as they are stored."""


class BatchTemplates:
    """The templates by course and batch."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def read(self, batches: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Templates | LernError]:
        """The templates of each (course, batch); empty when there is no row or no template."""
        found = self._gateway.get_many(self._table, batches, ("cert_templates",))
        answers: dict[tuple[str, str], Templates | LernError] = {}
        for batch in batches:
            row = found[batch]
            answers[batch] = row if isinstance(row, LernError) else (row["cert_templates"] or {} if row else {})
        return answers
