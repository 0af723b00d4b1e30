"""Prints what messages in flight rest on: each task's name, its arguments (`?`: may be left out) and its queue.

`python -m tests.public.task_contract`; test_task_contract.py compares it with task_contract.txt.
"""

import inspect
import re
from collections.abc import Iterator

from celery import Task

from lern_tasks.app import app
from lern_tasks.errors import InvalidArgument

_MISSING = re.compile(r"missing a required argument: '(\w+)'")


def contract() -> Iterator[str]:
    """A line a task, in the order of names."""
    app.loader.import_default_modules()
    for name in sorted(app.tasks):
        if not name.startswith("celery."):
            queue = app.amqp.router.route({}, name)["queue"].name
            yield f"{name}({', '.join(_arguments(app.tasks[name], queue))}) {queue}"


def _arguments(task: Task, queue: str) -> list[str]:
    if task.name == f"lern.{queue.replace('-', '_')}":
        # A job that takes events: whatever else comes is a dead letter.
        return ["records"]
    parameters = inspect.signature(task.run).parameters.values()
    if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
        return [parameter.name for parameter in parameters]
    return _told(task)


def _told(task: Task) -> list[str]:
    """The arguments as the task itself tells them to whoever sends a wrong one, which never begins anything."""
    given: dict[str, None] = {}
    while True:
        try:
            task(**given, no_such_argument=None)
        except InvalidArgument as error:
            if missing := _MISSING.search(str(error)):
                given[missing[1]] = None
                continue
            names = str(error).partition("; it takes ")[2].split(", ")
            return [name if name in given else f"{name}?" for name in names]


if __name__ == "__main__":
    print(*contract(), sep="\n")  # noqa: T201
