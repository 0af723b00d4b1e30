"""The change log has the form of Keep a Changelog, and tells of the version that the package has."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
LINES = (ROOT / "CHANGELOG.md").read_text().splitlines()
RELEASE = re.compile(r"## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_releases_come_after_what_is_not_released_newest_first() -> None:
    first, *releases = (line for line in LINES if line.startswith("## "))
    assert first == "## [Unreleased]"
    versions = [Version(match[1]) for line in releases if (match := RELEASE.fullmatch(line))]
    assert len(versions) == len(releases)
    assert all(newer > older for newer, older in pairwise(versions))
    assert Version(VERSION) in versions


def test_changes_are_of_the_known_kinds() -> None:
    kinds = {line.removeprefix("### ") for line in LINES if line.startswith("### ")}
    assert kinds
    assert kinds <= KINDS
