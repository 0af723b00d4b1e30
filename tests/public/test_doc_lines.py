"""Lines of the documents fit a screen: at most 140 characters, but for rows of tables, which Markdown cannot break."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 140
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_are_short(page: Path) -> None:
    lines = enumerate(page.read_text().splitlines(), 1)
    too_long = [number for number, line in lines if len(line) > LONGEST and not line.lstrip().startswith("|")]
    assert too_long == []


def test_there_are_pages() -> None:
    assert {"README.md", "architecture.md", "index_users.md"} <= {page.name for page in PAGES}
