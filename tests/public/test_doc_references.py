"""What code and documents refer to exists: pages and sections named in comments and docstrings, and links."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS = [*PAGES, *sorted(ROOT.glob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]
FOLDERS = [path for name in ("lern_tasks", "bridge", "benchmarks", "tests") for path in (ROOT / name).rglob("*.py")]
CODE = [path for path in (*ROOT.glob("*.py"), *FOLDERS) if path != Path(__file__).resolve()]

NAME = r"[a-z_-]+\.md"
PAGE = rf"docs/(?:jobs/)?{NAME}"
# `docs/a.md`, `docs/a.md, "One"`, `docs/a.md, section "One"`, `docs/jobs/a.md and b.md, "One" and "Two"`.
REFERENCE = re.compile(rf'({PAGE}(?:(?:,| and) (?:{PAGE}|{NAME}))*)((?:,? (?:section |and )?"[^"]+")*)')
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+?)\s*$", re.MULTILINE)
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def references(text: str) -> Iterator[tuple[str, str]]:
    """Pages that `text` names, each with the section that goes with it; "" for a page alone."""
    one_line = re.sub(r"\s*\n\s*(?:# ?)?", " ", text).replace('\\"', '"')
    for pages, sections in REFERENCE.findall(one_line):
        for page in re.findall(rf"(?:docs/)?(?:jobs/)?{NAME}", pages):
            for section in re.findall(r'"([^"]+)"', sections) or [""]:
                yield page, section


def prose(page: Path) -> str:
    """The text of a page without its code blocks."""
    return FENCED.sub("", page.read_text())


def has_section(page: Path, section: str) -> bool:
    """Whether a heading of the page is `section`, or begins with its words."""
    return any(f"{heading} ".startswith(f"{section} ") for heading in HEADING.findall(prose(page)))


def page_named(name: str) -> Path | None:
    """The page, named from the root, or by its file name beside one that is."""
    return next((path for path in PAGES if f"/{path.relative_to(ROOT)}".endswith(f"/{name}")), None)


def broken(text: str) -> list[str]:
    """The references of `text` that lead nowhere."""
    return [
        f"{name}, {section!r}"
        for name, section in references(text)
        if (page := page_named(name)) is None or (section and not has_section(page, section))
    ]


def anchor(heading: str) -> str:
    """The anchor that a forge and the site of the documents give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def leads_somewhere(document: Path, link: str) -> bool:
    """Whether a link within the repository leads to a file, and to a heading if it names one."""
    path, _, wanted = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not wanted or wanted in map(anchor, HEADING.findall(prose(target))))


def test_all_references_of_the_code_lead_somewhere() -> None:
    wrong = {str(path.relative_to(ROOT)): found for path in CODE if (found := broken(path.read_text()))}
    assert wrong == {}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(prose(document)) if "://" not in link]
    assert [link for link in links if not leads_somewhere(document, link)] == []


def test_the_package_refers_to_its_documents() -> None:
    """Fewer than one reference in three files would mean that they are not found any more."""
    modules = [path for path in CODE if path.is_relative_to(ROOT / "lern_tasks")]
    assert sum(any(references(path.read_text())) for path in modules) > len(modules) / 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""A job. See docs/architecture.md."""', [("docs/architecture.md", "")]),
        ('"""Keys. See docs/architecture.md, "Locks"."""', [("docs/architecture.md", "Locks")]),
        (
            '# See docs/architecture.md,\n# section "Order\n# of effects".',
            [("docs/architecture.md", "Order of effects")],
        ),
        ('docs/a.md, "One" and "Two"', [("docs/a.md", "One"), ("docs/a.md", "Two")]),
        ('docs/jobs/a.md and b.md, "One"', [("docs/jobs/a.md", "One"), ("b.md", "One")]),
        ("hashlib.md5", []),
    ],
)
def test_references_are_found(text: str, found: list[tuple[str, str]]) -> None:
    assert list(references(text)) == found


@pytest.mark.parametrize(
    "text", ["docs/nowhere.md", 'docs/architecture.md, "Nowhere"', 'docs/architecture.md, "Lock"', "docs/users.md"]
)
def test_what_leads_nowhere_is_told(text: str) -> None:
    assert len(broken(text)) == 1


@pytest.mark.parametrize("link", ["nowhere.md", "#nowhere", "operations.md#nowhere"])
def test_a_link_that_leads_nowhere_is_told(link: str) -> None:
    assert not leads_somewhere(ROOT / "docs" / "architecture.md", link)
