"""An installation for each test: on the embedded servers and on real ones, packed and strictly one event, one task.

Where real servers are required, a plain run leaves out what another variant of the same test shows as well: the
embedded servers, and one event a task on real ones. `LERN_TEST_SIZE=full`, or the mark `every_variant`, runs them all.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.installation import Installation, embedded, real
from tests.harness.size import FULL
from tests.servers.plugin import required

Open = Callable[..., Installation]


def every_variant(request: pytest.FixtureRequest) -> bool:
    """Whether the test runs in every variant."""
    return FULL or request.node.get_closest_marker("every_variant") is not None


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.stack)])
def open_installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens an installation with the given LERN_ settings; it is closed at the end of the test."""
    if request.param == "embedded" and required() and not every_variant(request):
        pytest.skip("its real variant runs; LERN_TEST_SIZE=full runs both")
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
    real_too = request.node.callspec.params.get("open_installation") == "real"
    if request.param == "single" and real_too and not every_variant(request):
        pytest.skip("its packed variant runs; LERN_TEST_SIZE=full runs both")
    return {} if request.param == "packed" else {"LERN_BRIDGE__RECORDS_PER_TASK": "1"}
