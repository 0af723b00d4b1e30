"""What a job that takes events from a topic must have besides its code. See docs/adding-a-job.md."""

from collections.abc import Iterator
from pathlib import Path

from lern_tasks.catalogue import ROWS, EventJob, queue_name, task_name
from lern_tasks.settings import Settings
from tests.harness.samples import samples_of, topic_of
from tests.variables.fields import without_line


def missing_of(job: EventJob, root: Path) -> list[str]:
    """What the job lacks in the checkout at `root`, a sentence each, with what to do."""
    return [f"{job} lacks {what}." for what in _missing(job, root)]


def _missing(job: EventJob, root: Path) -> Iterator[str]:
    module = Path(*ROWS[job].module.split(".")).with_suffix(".py")
    if not (root / module).is_file():
        yield f"its task: write {module}"
    if job not in Settings.model_fields:
        yield "its settings: write a class in lern_tasks/settings/, and its line in `Settings`"
        return
    topic = topic_of(job)
    if not topic:
        yield "its topic: give `kafka_input_topic` a default in its settings"
    yield from _undocumented(job, topic, root)
    if not samples_of(job, root):
        yield f"a sample event: put a documented one into tests/samples/{topic}/"
    if untold := without_line(job):
        yield f"lines in tests/variables that show what these variables do: {', '.join(untold)}"


def _undocumented(job: EventJob, topic: str, root: Path) -> Iterator[str]:
    if not _begins(root / "docs" / "jobs" / f"{job}.md", f"# {job}\n"):
        yield f"its page: write docs/jobs/{job}.md, which begins with `# {job}`"
    if not _has(root / "README.md", f"| `{job}` | `{topic}` |", f"(docs/jobs/{job}.md) |"):
        yield f"its row in README.md: | `{job}` | `{topic}` | what it does | [docs](docs/jobs/{job}.md) |"
    if not _has(root / "mkdocs.yml", f"- jobs/{job}.md"):
        yield f"its page in the menu: a line in mkdocs.yml, - jobs/{job}.md"
    if not _has(root / "tests" / "public" / "task_contract.txt", f"{task_name(job)}(records) {queue_name(job)}"):
        yield "its line in tests/public/task_contract.txt: make the file again, as test_task_contract.py says"
    if not _has(root / "docs" / "configuration.md", f"## {job}"):
        yield "its section of docs/configuration.md: make the page again, as its first lines say"


def _begins(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text("utf-8").startswith(text)


def _has(file: Path, *parts: str) -> bool:
    """Whether a line of the file has all parts."""
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return any(all(part in line for part in parts) for line in lines)
