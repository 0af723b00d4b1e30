"""`cert_registry`: the old certificate registry. See docs/jobs/collection_certificate_generator.md, "Rows"."""

from lern_tasks.storage.gateway import Delete, Gateway, raise_first
from lern_tasks.storage.table import Table


class OldRegistryRows:
    """The old certificates by their id."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def delete(self, certificate_id: str) -> None:
        """Delete an old certificate; one that is not there is no error. Raises what the gateway answers."""
        raise_first(self._gateway.apply([Delete(table=self._table, key=(certificate_id,))]))
