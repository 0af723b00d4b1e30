"""How often a message was delivered: the counter that bounds poison. See docs/architecture.md, "Deaths"."""

from contextlib import suppress

from lern_tasks.connections.redis import Client, translated
from lern_tasks.errors import DependencyDown, LernError

_PREFIX = "lern:deliveries:"

_EXPIRY = 86_400
"""Seconds: a day, as long as a message may wait out an outage; every delivery renews it."""


class PoisonMessage(LernError):
    """This message was delivered so often without an end that it is taken to kill the process that runs it."""

    code = "KILLS_ITS_WORKER"


class DeliveryCounter:
    """Counts deliveries by what stays the same when a message is delivered again; one that ended has no counter."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def increment(self, delivery_id: str) -> int:
        """Count this delivery; the number of it, 1 for the first. Raises DependencyDown."""
        pipe = self._client.pipeline(transaction=True)
        pipe.incr(_PREFIX + delivery_id)
        pipe.expire(_PREFIX + delivery_id, _EXPIRY)
        with translated():
            number, _ = pipe.execute()
        return int(number)

    def reset(self, delivery_id: str) -> None:
        """The message has ended, or waits for something that is not its fault.

        Raises nothing: a counter that an outage leaves over expires.
        """
        with suppress(DependencyDown), translated():
            self._client.delete(_PREFIX + delivery_id)
