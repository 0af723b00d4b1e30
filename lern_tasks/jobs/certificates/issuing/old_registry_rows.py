"""`cert_registry`: the old certificate registry. See docs/jobs/collection_certificate_generator.md, "Rows"."""

from lern_tasks.storage.gateway import Delete as DeleteRow
from lern_tasks.storage.gateway import Gateway, Mutation
from lern_tasks.storage.table import Table


def delete(gateway: Gateway, table: Table, certificate_id: str) -> None:
    """Delete an old certificate; one that is not there is no error. Raises what the gateway answers."""
    mutations: list[Mutation] = [DeleteRow(table=table, key=(certificate_id,))]
    for error in gateway.apply(mutations):
        if error is not None:
            raise error
