"""Tables and Redis keys: the only place with CQL and key names. See docs/architecture.md, "Stores"."""

from importlib import import_module
from typing import Any

from celery.signals import worker_init

from lern_tasks import settings as lern_settings
from lern_tasks.settings import Settings
from lern_tasks.storage.gateway import Gateway

_SQLITE = "sqlite:"


def open_gateway(settings: Settings) -> Gateway:
    """The tables that `LERN_STORE` names: Cassandra, or a SQLite file. Nothing is connected before its first use."""
    if settings.store.startswith(_SQLITE):
        from lern_tasks.storage.sqlite.gateway import SqliteGateway  # noqa: PLC0415 (each process needs one of the two)

        return SqliteGateway(settings.store.removeprefix(_SQLITE))
    from lern_tasks.storage.cassandra.gateway import CassandraGateway  # noqa: PLC0415 (the driver takes 0.4 s to import)

    return CassandraGateway(settings)


@worker_init.connect
def import_before_fork(**_: Any) -> None:
    """Import the driver that the processes of a pool will need: else each of them does, at its first task.

    Celery has imported the task modules by then, and they this one.
    """
    if not lern_settings.current().store.startswith(_SQLITE):
        import_module("lern_tasks.storage.cassandra.gateway")
