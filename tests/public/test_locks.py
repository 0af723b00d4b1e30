"""The lock files pin what pyproject.toml asks for, for every supported Python, and name no index and no host."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUILD: list[str] = PROJECT["build-system"]["requires"]
PLAIN: list[str] = PROJECT["project"]["dependencies"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]

LOCKS = {
    "requirements.lock": [*BUILD, *PLAIN],
    "requirements-test.lock": [*BUILD, *PLAIN, *EXTRAS["test"], *EXTRAS["docs"]],
}
PYTHONS = ["3.11.0", "3.11.15", "3.12.0", "3.13.0", "3.14.0"]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock: str) -> list[str]:
    """The entries of a lock file, each on one line."""
    text = re.sub(r"\\\n\s*", "", (ROOT / lock).read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(lock: str) -> list[Requirement]:
    """The entries without their hashes."""
    return [Requirement(HASH.sub("", entry).strip()) for entry in entries(lock)]


def versions(lock: str, python: str) -> dict[str, list[str]]:
    """The versions that are pinned for a Python on Linux, by name."""
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": "linux"}
    found: dict[str, list[str]] = {}
    for pin in pins(lock):
        if pin.marker is None or pin.marker.evaluate(environment):
            found.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
    return found


def outside(wanted: Iterable[str], pinned: dict[str, list[str]]) -> list[str]:
    """The requirements that are not pinned to one version within their range."""
    requirements = map(Requirement, wanted)
    return [
        str(requirement)
        for requirement in requirements
        if len(found := pinned.get(canonicalize_name(requirement.name), [])) != 1
        or not requirement.specifier.contains(found[0], prereleases=True)
    ]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_pinned_within_its_range(lock: str, python: str) -> None:
    assert outside(LOCKS[lock], versions(lock, python)) == [], "run: make lock"


@pytest.mark.parametrize("python", PYTHONS)
def test_both_locks_have_the_same_versions(python: str) -> None:
    larger = versions("requirements-test.lock", python)
    assert {name: larger.get(name) for name in versions("requirements.lock", python)} == versions(
        "requirements.lock", python
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_one_version_with_hashes(lock: str) -> None:
    for entry, pin in zip(entries(lock), pins(lock), strict=True):
        assert re.fullmatch(r"==[^,*]+", str(pin.specifier)), entry
        assert HASH.search(entry), entry


@pytest.mark.parametrize("lock", LOCKS)
def test_no_index_no_host_and_no_path_is_named(lock: str) -> None:
    """What is left without pins, hashes and markers is nothing: options of pip (`--index-url`) would stand there."""
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|@|file:|^\s*-(?!-hash=)|/", text, re.MULTILINE)


def test_a_version_outside_the_range_is_told() -> None:
    wanted = ["celery[redis]>=5.7,<5.8", "kombu>=5.7", "redis", "httpx"]
    assert outside(wanted, {"celery": ["5.8.0"], "kombu": ["5.7.1"], "redis": ["6.4", "7.0"]}) == [
        "celery[redis]<5.8,>=5.7",
        "redis",
        "httpx",
    ]
