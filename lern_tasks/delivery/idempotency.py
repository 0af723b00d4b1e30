"""Things done at most once, by keys in the state Redis. See docs/architecture.md, "Order of effects"."""

from lern_tasks.connections.redis import Client, translated


class IdempotencyKeys:
    """The first to ask for a name gets it, until it expires."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def claim(self, name: str, *, expiry: int) -> bool:
        """True for the first caller within `expiry` seconds. Raises DependencyDown."""
        with translated():
            return bool(self._client.set(f"lern:once:{name}", "", nx=True, ex=expiry))

    def release(self, name: str) -> None:
        """Let the next caller be the first: this one could not do it. Raises DependencyDown."""
        with translated():
            self._client.delete(f"lern:once:{name}")
