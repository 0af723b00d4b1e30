import stat
from pathlib import Path

import pytest

from lern_tasks.connections.files import Files
from lern_tasks.errors import DependencyDown, RefusedByService


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def files(root: Path) -> Files:
    return Files(root.as_uri())


def test_gives_back_what_it_was_given(files: Files) -> None:
    content = bytes(range(256)) * 8000
    assert files.get(files.put("topic/a", content)) == content


def test_a_name_used_again_has_the_new_content_and_no_parts_are_left(files: Files, root: Path) -> None:
    files.put("topic/a", b"old")
    files.put("topic/a", b"")
    assert files.get("topic/a") == b""
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["a"]


def test_a_reference_stays_valid_when_the_files_move(files: Files, root: Path, tmp_path: Path) -> None:
    reference = files.put("topic/a", b"1")
    root.rename(tmp_path / "moved")
    assert Files((tmp_path / "moved").as_uri()).get(reference) == b"1"


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "/etc/passwd", "a/../../b", "a//b", "file:///etc/passwd"])
def test_a_reference_cannot_leave_the_store(files: Files, name: str) -> None:
    with pytest.raises(RefusedByService):
        files.get(name)


def test_no_such_file(files: Files) -> None:
    with pytest.raises(RefusedByService, match="topic/none"):
        files.get("topic/none")


def test_only_the_owner_may_look(files: Files, root: Path) -> None:
    files.put("a/b", b"1")
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_a_store_that_does_not_work_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(DependencyDown) as raised:
        Files((tmp_path / "taken").as_uri()).put("a", b"1")
    assert raised.value.name == "files"
    with pytest.raises(DependencyDown):
        Files((tmp_path / "taken").as_uri()).ping()
    with pytest.raises(DependencyDown):
        Files("nosuchprotocol://x").get("a")


def test_any_fsspec_store() -> None:
    files = Files("memory://lern")
    files.ping()
    assert files.get(files.put("t/a", b"1")) == b"1"
