"""Registry intents: notes in the state Redis that survive a death around the creation of a certificate.

See docs/jobs/collection_certificate_generator.md, "Failure".
"""

from dataclasses import dataclass

import msgspec

from lern_tasks.connections.redis import Client, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A certificate about to be created (`osid` is None) or created. `since_ms`: epoch ms of the last create call."""

    since_ms: int
    osid: str | None = None


class Intents:
    """Registry intents by the certificate's business key."""

    def __init__(self, client: Client, *, ttl: int) -> None:
        self._client = client
        self._ttl = ttl

    def read(self, key: str) -> Intent | None:
        """What is known about `key`. Raises DependencyDown."""
        with translated():
            text = self._client.get(_intent_key(key))
        return msgspec.json.decode(text, type=Intent) if text else None

    def write(self, key: str, intent: Intent) -> None:
        """Remember `intent`. Raises DependencyDown."""
        with translated():
            self._client.set(_intent_key(key), msgspec.json.encode(intent).decode(), ex=self._ttl)

    def forget(self, key: str) -> None:
        """Nothing was created. Raises DependencyDown."""
        with translated():
            self._client.delete(_intent_key(key))


def _intent_key(key: str) -> str:
    return f"lern:certificate:{key}"
