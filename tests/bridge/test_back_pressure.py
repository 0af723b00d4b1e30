"""Back-pressure: when records may be dispatched."""

from bridge.back_pressure import BackPressure
from lern_tasks.errors import DependencyDown
from tests.bridge.doubles import RecordingBroker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _back_pressure(broker: RecordingBroker) -> tuple[BackPressure, Clock]:
    clock = Clock()
    return BackPressure(broker, high=10, low=5, every=0.5, clock=clock), clock


def _after(seconds: float, back_pressure: BackPressure, clock: Clock) -> bool:
    clock.now += seconds
    return back_pressure.is_open()


def test_it_closes_above_the_high_mark_and_opens_at_the_low_mark() -> None:
    broker = RecordingBroker()
    back_pressure, clock = _back_pressure(broker)
    opened = []

    for depth in (0, 10, 11, 8, 6, 5, 10, 11):
        broker.waiting = depth
        opened.append(_after(1, back_pressure, clock))

    assert opened == [True, True, False, False, False, True, True, False]


def test_it_looks_at_the_queue_at_most_every_half_second() -> None:
    broker = RecordingBroker()
    back_pressure, clock = _back_pressure(broker)

    for _ in range(10):
        _after(0.1, back_pressure, clock)

    assert broker.looks == 2


def test_it_is_closed_while_the_broker_is_away() -> None:
    broker = RecordingBroker()
    back_pressure, clock = _back_pressure(broker)
    broker.away.set()

    assert not _after(1, back_pressure, clock)
    assert back_pressure.reason == "away"

    broker.away.clear()
    assert _after(1, back_pressure, clock)


def test_after_an_outage_the_high_mark_decides() -> None:
    broker = RecordingBroker()
    back_pressure, clock = _back_pressure(broker)
    back_pressure.close(DependencyDown("broker"))

    broker.waiting = 8
    assert not _after(0.1, back_pressure, clock)
    assert _after(1, back_pressure, clock)

    back_pressure.close(DependencyDown("broker"))
    broker.waiting = 11
    assert not _after(1, back_pressure, clock)
    broker.waiting = 8
    assert not _after(1, back_pressure, clock)


def test_a_broker_that_answers_but_takes_no_writes_stays_closed() -> None:
    class Full(RecordingBroker):
        full = True

        def check_writable(self) -> None:
            if self.full:
                raise DependencyDown("broker", "OutOfMemoryError")

    broker = Full()
    back_pressure, clock = _back_pressure(broker)
    back_pressure.close(DependencyDown("broker"))

    assert not _after(1, back_pressure, clock)
    broker.full = False
    assert _after(1, back_pressure, clock)


def test_it_starts_with_a_look() -> None:
    broker = RecordingBroker()
    broker.waiting = 11
    back_pressure, _clock = _back_pressure(broker)

    assert not back_pressure.is_open()
