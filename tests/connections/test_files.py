import os
import stat
from collections.abc import Callable
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


BAD_NAMES = ["x" * 250, "😀" * 60, "a\0b", "a/\x1b", "\ud800", "/".join(["abc"] * 300), f"{'x' * 256}/a"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_a_name_that_no_store_takes_is_no_outage(files: Files, name: str) -> None:
    for action in (lambda: files.put(name, b"1"), lambda: files.get(name)):
        with pytest.raises(RefusedByService):
            action()


def test_a_name_that_is_taken_by_a_folder_or_lies_in_a_file_is_no_outage(files: Files) -> None:
    files.put("a/b", b"1")
    for name in ("a", "a/b/c"):
        with pytest.raises(RefusedByService):
            files.put(name, b"1")
        with pytest.raises(RefusedByService):
            files.get(name)


def test_the_longest_topic_is_a_folder(files: Files) -> None:
    reference = f"{'t' * 249}/{'0' * 64}"
    assert files.get(files.put(reference, b"123"), most=2) == b"12"


def test_no_such_file(files: Files) -> None:
    with pytest.raises(RefusedByService, match="topic/none"):
        files.get("topic/none")


def test_only_the_owner_may_look(files: Files, root: Path) -> None:
    files.put("a/b", b"1")
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert stat.S_IMODE((root / "a" / "b").stat().st_mode) == 0o600


def open_to_all(root: Path) -> None:
    root.mkdir()
    root.chmod(0o1777)


def linked(root: Path) -> None:
    root.with_name("elsewhere").mkdir(mode=0o700)
    root.symlink_to(root.with_name("elsewhere"))


@pytest.mark.parametrize(("make", "named"), [(open_to_all, "everybody may write"), (linked, "is a link")])
def test_a_folder_that_others_may_change_is_refused(root: Path, make: Callable[[Path], None], named: str) -> None:
    make(root)
    files = Files(root.as_uri())
    for action in (files.ping, lambda: files.put("a", b"1")):
        with pytest.raises(DependencyDown, match=named):
            action()
    assert not list(root.iterdir())


def test_a_folder_of_another_user_is_refused_and_one_of_the_administrators_is_not(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: root.stat().st_uid + 1)
    if root.stat().st_uid:
        with pytest.raises(DependencyDown, match="belongs to another user"):
            Files(root.as_uri()).ping()
    else:
        Files(root.as_uri()).ping()


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


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"), RefusedByService),
        (ValueError("Invalid endpoint: http://my_store:9000"), DependencyDown),
        (PermissionError(13, "denied"), DependencyDown),
    ],
)
def test_an_error_is_of_the_name_or_of_the_store(
    files: Files, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    files.ping()
    monkeypatch.setattr(files._open()[0], "cat_file", fails)
    with pytest.raises(kind):
        files.get("a")
