"""docs/configuration.md, made from the settings.

`python -m lern_tasks.cli.configuration_page > docs/configuration.md`
"""

import os
from collections.abc import Iterator
from itertools import groupby
from unittest.mock import patch

from lern_tasks import settings
from lern_tasks.cli.effective import Effective, effective

_HEAD = """# Configuration

Made from the settings by `python -m lern_tasks.cli.configuration_page`; a test keeps it true. `lern settings` shows the
values in force, with secrets masked.

Every setting is an environment variable. The scope of a job accepts the documented keys of its Flink job in upper snake
case: `kafka.output.audit.topic` of activity-aggregate-updater is
`LERN_ACTIVITY_AGGREGATE_UPDATER__KAFKA_OUTPUT_AUDIT_TOPIC`. Where a key is known in several spellings each is accepted.
`{env}` stands for `LERN_ENV`. Lists and maps are JSON. A name that does not exist is refused.
"""


def page() -> str:
    """The page, from the defaults: the environment of the process is left out."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LERN_")}
    with patch.dict(os.environ, clean, clear=True):
        rows = effective(settings.load())
    return "\n".join([_HEAD, *_tables(rows)]).rstrip() + "\n"


def _tables(rows: list[Effective]) -> Iterator[str]:
    for scope, group in groupby(rows, key=lambda row: row.scope):
        yield f"## {scope or 'general'}\n"
        yield "| variable | default | replaces | effect |"
        yield "|---|---|---|---|"
        for row in group:
            replaces = ", ".join(f"`{key}`" for key in row.documented)
            yield f"| `{row.variable}` | {_cell(row.shown)} | {replaces} | {_escaped(row.note)} |"
        yield ""


def _cell(text: str) -> str:
    return f"`{_escaped(text)}`" if text else ""


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
