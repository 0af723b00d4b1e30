"""An installation for each test: on the embedded servers and on real ones, packed and strictly one event, one task."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.flow.installation import Installation, embedded, real

Open = Callable[..., Installation]


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.stack)])
def open_installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens an installation with the given LERN_ settings; it is closed at the end of the test."""
    with ExitStack() as stack:

        def open_one(**settings: str) -> Installation:
            if request.param == "embedded":
                return stack.enter_context(embedded(tmp_path, **settings))
            kafka = request.getfixturevalue("kafka_server").address
            cassandra = request.getfixturevalue("cassandra_server").address
            return stack.enter_context(real(tmp_path, kafka=kafka, cassandra=cassandra, **settings))

        yield open_one


@pytest.fixture(params=["packed", "single"])
def packing(request: pytest.FixtureRequest) -> dict[str, str]:
    """The bridge's setting: neighbours packed under backlog, or one record a task."""
    return {} if request.param == "packed" else {"LERN_BRIDGE__RECORDS_PER_TASK": "1"}
