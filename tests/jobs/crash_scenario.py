"""What every scenario of the crash suite has: work that is begun, dies, is delivered again, and is looked at."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from tests.harness.in_process import Chain


class CrashScenario(ABC):
    """Work whose process dies before each of its effects; in the end everything is as if it had not."""

    effects: ClassVar[int]
    """How many the work has when nobody dies, with those of its follow-ups, or without when they are `left_out`."""
    left_out: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, str]] = {}
    backwards: ClassVar[Collection[int]] = ()
    """Deaths where several rows are written at once, tried from the last row too: no order is promised."""
    written_again: ClassVar[tuple[Mapping[str, str], Collection[int]]] = ({}, ())
    """Deaths tried also with settings by which completed rows are written again."""
    without_registry: ClassVar[bool] = False

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def run(self, *deaths: int, backwards: bool = False, times: int = 1) -> list[str]:
        """Begin the work so many times, and give the effects until nothing is left; see `Chain.drain`."""
        self.prepare()
        for _ in range(times):
            self.send()
        return self.drain(*deaths, backwards=backwards)

    def drain(self, *deaths: int, backwards: bool) -> list[str]:
        """Run what was sent."""
        return self.chain.drain(*deaths, backwards=backwards)

    @abstractmethod
    def prepare(self) -> None:
        """Store what is there before."""

    @abstractmethod
    def send(self) -> None:
        """Send the messages of the work."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that may not depend on deaths. Times are those of the test's clock, which retries move on."""

    @abstractmethod
    def check(self, effects: Sequence[str]) -> None:
        """What must hold whoever died."""

    def counted(self, effects: Sequence[str]) -> int:
        """How many of the effects of an undisturbed run are the work's; fails when they are out of order."""
        return effects.index("acknowledge") + 1 if self.left_out else len(effects)
