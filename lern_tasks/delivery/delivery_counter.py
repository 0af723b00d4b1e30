"""How often a message was delivered: the counter that bounds poison. See docs/architecture.md, "Deaths"."""

from lern_tasks.connections.redis import Client, translated

_PREFIX = "lern:deliveries:"

_EXPIRY = 86_400
"""Seconds: a day, as long as a message may wait out an outage; every delivery renews it."""


class DeliveryCounter:
    """Counts deliveries by task id; a message that ended has no counter."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def increment(self, task_id: str) -> int:
        """Count this delivery; the number of it, 1 for the first. Raises DependencyDown."""
        pipe = self._client.pipeline(transaction=True)
        pipe.incr(_PREFIX + task_id)
        pipe.expire(_PREFIX + task_id, _EXPIRY)
        with translated():
            number, _ = pipe.execute()
        return int(number)

    def reset(self, task_id: str) -> None:
        """The message has ended, or waits for something that is not its fault. Raises DependencyDown."""
        with translated():
            self._client.delete(_PREFIX + task_id)
