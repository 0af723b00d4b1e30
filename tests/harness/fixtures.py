"""Chains of tasks for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry
from tests.harness import without_registry
from tests.harness.in_process import Chain

MakeChain = Callable[..., Chain]


@contextmanager
def shared_chain(tmp_path_factory: pytest.TempPathFactory, **env: str) -> Iterator[Chain]:
    """One environment for all examples of a module: each example has learners of its own."""
    with Registry() as registry, PlatformApi() as platform:
        chain = Chain(tmp_path_factory.mktemp("chain"), registry, platform, **env)
        yield chain
        chain.close()


@pytest.fixture
def make_chain(tmp_path: Path) -> Iterator[MakeChain]:
    """Makes environments with the given LERN_ settings; each has files and services of its own."""
    made: list[Chain] = []
    with ExitStack() as stack:

        def make(**env: str) -> Chain:
            directory = tmp_path / str(len(made))
            directory.mkdir()
            registry, platform = stack.enter_context(Registry()), stack.enter_context(PlatformApi())
            made.append(Chain(directory, registry, platform, **env))
            stack.callback(made[-1].close)
            return made[-1]

        yield make


@pytest.fixture
def chain(make_chain: MakeChain) -> Chain:
    """An environment with the default settings."""
    return make_chain()


@pytest.fixture
def make_documents(make_chain: MakeChain, tmp_path: Path) -> Iterator[without_registry.Make]:
    """Makes environments that issue certificates without the registry."""
    made: list[without_registry.Documents] = []
    with ExitStack() as stack:

        def make(**env: str) -> without_registry.Documents:
            folder = tmp_path / f"documents-{len(made)}"
            made.append(stack.enter_context(without_registry.documents(make_chain, folder, **env)))
            return made[-1]

        yield make
