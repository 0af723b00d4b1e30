"""`content_hierarchy`: the stored tree of a published collection. See docs/jobs/relation_cache_updater.md, "Rows"."""

from collections.abc import Sequence

from lern_tasks.errors import LernError
from lern_tasks.storage.gateway import Gateway
from lern_tasks.storage.table import Table


class Hierarchies:
    """The trees by the id of their root."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def read(self, roots: Sequence[str]) -> dict[str, str | None | LernError]:
        """The tree of each root as JSON text; None when there is none."""
        found = self._gateway.get_many(self._table, [(root,) for root in roots], ("hierarchy",))
        answers: dict[str, str | None | LernError] = {}
        for root in roots:
            row = found[root,]
            answers[root] = row if isinstance(row, LernError) else (row["hierarchy"] if row else None)
        return answers
