"""The registry's memory: what its index sees when, and what a file brings back."""

import json
from pathlib import Path

import pytest

from lern_tasks.demo.platform.registry_store import RegistryStore

ENTITY = "TrainingCertificate"


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _found(store: RegistryStore, lag: float) -> int:
    return len(store.search(ENTITY, {}, limit=10, offset=0, lag=lag))


def test_the_index_is_behind_with_creates_and_deletes(clock: Clock) -> None:
    store = RegistryStore(None, clock=clock)
    osid = store.create(ENTITY, {}).osid
    clock.now = 1004.0
    assert (_found(store, 5.0), _found(store, 4.0)) == (0, 1)
    clock.now = 1010.0
    store.delete(ENTITY, osid)
    clock.now = 1012.0
    assert (_found(store, 5.0), _found(store, 1.0)) == (1, 0)


def test_a_file_brings_back_what_was_stored_withdrawn_and_revoked(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    store = RegistryStore(path)
    kept, deleted, revoked = (store.create(ENTITY, {"name": "R&D ü"}).osid for _ in range(3))
    assert store.delete(ENTITY, deleted)
    assert store.revoke(ENTITY, revoked)
    again = RegistryStore(path)
    assert again.all() == store.all()
    assert again.get(ENTITY, kept) is not None
    assert again.get(ENTITY, deleted) is None


@pytest.mark.parametrize("torn", ['{"entity": "Tr', '{"entity": "TrainingCertificate", "osid": "1-x"}'])
def test_a_line_without_an_end_never_happened(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "registry.jsonl"
    RegistryStore(path).create(ENTITY, {})
    with path.open("a") as file:
        file.write(torn)
    store = RegistryStore(path)
    assert len(store.all()) == 1
    store.create(ENTITY, {})
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 2
    assert len(RegistryStore(path).all()) == 2
