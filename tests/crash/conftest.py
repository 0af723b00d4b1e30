"""An installation on real servers, its limits short enough for a dead worker's messages to come back in seconds."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lern_tasks.catalogue import EVENT_JOBS
from tests.flow.conftest import Open, packing
from tests.harness.installation import Installation, real

__all__ = ["packing"]

LIMITS = {
    "LERN_TASKS__COUNTDOWN_CAP": "2",
    "LERN_TASKS__HARD_LIMIT_MARGIN": "4",
    "LERN_TASKS__VISIBILITY_MARGIN": "2",
    **{f"LERN_{job.upper()}__SOFT_TIME_LIMIT": "8" for job in EVENT_JOBS},
}
"""A message of a dead worker is delivered again after 2 + (8 + 4) + 2 = 16 s instead of 210."""


@pytest.fixture
def open_installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens an installation with the given LERN_ settings; it is closed at the end of the test.

    `kafka` and `cassandra` are addresses of servers of the test's own; else it is on those of the whole run.
    """
    with ExitStack() as stack:

        def open_one(*, kafka: str = "", cassandra: str = "", **settings: str) -> Installation:
            kafka = kafka or request.getfixturevalue("kafka_server").address
            cassandra = cassandra or request.getfixturevalue("cassandra_server").address
            return stack.enter_context(real(tmp_path, kafka=kafka, cassandra=cassandra, **{**LIMITS, **settings}))

        yield open_one
