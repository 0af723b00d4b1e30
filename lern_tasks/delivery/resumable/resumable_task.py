"""Makes resumable tasks: long work that goes on in message after message, page by page.

One message must end before the broker takes its worker for dead.

See docs/administration.md, "How a long task goes on".
"""

import inspect
from collections.abc import Callable
from typing import Any

import structlog
from celery import Task, shared_task

from lern_tasks import settings as lern_settings
from lern_tasks.delivery.resources import process_resources
from lern_tasks.delivery.resumable.runner import PageFunction, RunMessage, Runner
from lern_tasks.errors import InvalidArgument, LernError


def resumable_task(name: str, *, doing: str) -> Callable[[Callable[..., PageFunction]], Task]:
    """Make the task `name` of a function that checks the arguments and gives what does a page.

    The arguments are plain JSON types by keyword; the function raises InvalidArgument. `doing` says in a few words what
    the task does, for whoever watches it. By `task_routes` (celery_guarantees.py) it goes to the queue `bulk`.
    """

    def decorate(begin: Callable[..., PageFunction]) -> Task:
        settings = lern_settings.current()

        def run(self: Task, *args: Any, **kwargs: Any) -> dict[str, Any]:
            ctx = process_resources(lern_settings.current(), self.app)
            with structlog.contextvars.bound_contextvars(job=name, task_id=self.request.id):
                number = _number(kwargs)
                arguments = _bound(begin, args, kwargs)
                page = begin(**arguments)
                message = RunMessage(
                    name=name, task_id=self.request.id, arguments=arguments, number=number, doing=doing
                )
                return Runner(message, page, ctx, soft_limit=ctx.settings.longest_soft_limit).run()

        run.__doc__ = begin.__doc__
        run.__module__ = begin.__module__
        made: Task = shared_task(
            name=name,
            bind=True,
            soft_time_limit=settings.longest_soft_limit,
            time_limit=settings.longest_soft_limit + settings.tasks.hard_limit_margin,
            throws=(LernError,),
            # Else each message would begin as STARTED, and hide how far the task is.
            track_started=False,
        )(run)
        return made

    return decorate


def _bound(begin: Callable[..., PageFunction], args: Any, kwargs: Any) -> dict[str, Any]:
    try:
        bound = inspect.signature(begin).bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidArgument(f"{error}; it takes {', '.join(inspect.signature(begin).parameters)}") from None
    return dict(bound.arguments)


def _number(arguments: dict[str, Any]) -> int:
    """Take this message's number out of the arguments, under the name of messages in flight. Raises InvalidArgument."""
    number = arguments.pop("slice", 0)
    if type(number) is not int or number < 0:
        raise InvalidArgument("slice is set by the task itself; leave it out")
    return number
