"""docs/adding-a-job.md as instructions: the blocks that are files or parts of files, and the commands."""

import re
from dataclasses import dataclass
from pathlib import Path

_SECTION = re.compile(r"^## ", re.MULTILINE)
_BLOCK = re.compile(
    r"^`(?P<file>[^`\n]+)`(?:, below `(?P<below>[^`\n]+)`)?:\n\n(?P<fence>`{3,})\w+\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A file of its own, or text that goes below the first line that begins with `below`."""

    file: str
    below: str | None
    text: str

    def apply(self, root: Path) -> None:
        """Do it. Raises ValueError when there is no such line, or such a file already."""
        file = root / self.file
        if self.below is None:
            if file.exists():
                raise ValueError(f"{self.file} is there already")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.text, "utf-8")
            return
        lines = file.read_text("utf-8").splitlines(keepends=True)
        places = [number for number, line in enumerate(lines, 1) if line.strip().startswith(self.below)]
        if not places:
            raise ValueError(f"{self.file} has no line that begins with {self.below!r}")
        file.write_text("".join([*lines[: places[0]], self.text, *lines[places[0] :]]), "utf-8")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page."""

    title: str
    blocks: tuple[Block, ...]
    commands: tuple[str, ...]


def sections(page: Path) -> list[Section]:
    """The sections of the page, in its order."""
    return [_section(text) for text in _SECTION.split(_outside(page.read_text("utf-8")))[1:]]


def _section(text: str) -> Section:
    text = text.replace(_HIDDEN, "#")
    blocks = tuple(Block(found["file"], found["below"], found["text"]) for found in _BLOCK.finditer(text))
    commands = [line for block in _COMMANDS.findall(text) for line in block.splitlines()]
    return Section(title=text.partition("\n")[0], blocks=blocks, commands=tuple(commands))


_HIDDEN = "\0"
_FENCED = re.compile(r"^(`{3,})\w*\n.*?^\1$", re.MULTILINE | re.DOTALL)


def _outside(text: str) -> str:
    """The text with the headings inside of blocks made none."""
    return _FENCED.sub(lambda block: block[0].replace("#", _HIDDEN), text)
