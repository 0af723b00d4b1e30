"""A chain of tasks for each test, on services that serve all tests of the module."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lern_tasks.embedded.platform_api import PlatformApi
from lern_tasks.embedded.registry import Registry
from tests.tasks.chain import Chain

MakeChain = Callable[..., Chain]


@pytest.fixture
def make_chain(tmp_path: Path) -> Iterator[MakeChain]:
    """Makes environments with the given LERN_ settings; each has files of its own, all share the services."""
    made: list[Chain] = []
    with Registry() as registry, PlatformApi() as platform:

        def make(**env: str) -> Chain:
            directory = tmp_path / str(len(made))
            directory.mkdir()
            made.append(Chain(directory, registry, platform, **env))
            return made[-1]

        yield make
        for chain in made:
            chain.close()


@pytest.fixture
def chain(make_chain: MakeChain) -> Chain:
    """An environment with the default settings."""
    return make_chain()
