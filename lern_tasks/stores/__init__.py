"""Tables and Redis keys: the only place with CQL and key names. See docs/architecture.md, "Stores"."""

from lern_tasks.settings import Settings
from lern_tasks.stores.gateway import Gateway


def open_gateway(settings: Settings) -> Gateway:
    """The tables that `LERN_STORE` names: Cassandra, or a SQLite file. Nothing is connected before its first use."""
    if settings.store.startswith("sqlite:"):
        from lern_tasks.stores.sqlite import SqliteGateway  # noqa: PLC0415 (each process needs one of the two)

        return SqliteGateway(settings.store.removeprefix("sqlite:"))
    from lern_tasks.stores.cassandra import CassandraGateway  # noqa: PLC0415 (the driver takes 0.3 s to import)

    return CassandraGateway(settings)
