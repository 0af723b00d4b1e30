"""Calls of services by operation: who asks, and who watches how it ends. See docs/architecture.md, "Outages"."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from lern_tasks.errors import DependencyDown, TransientError


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an `operation` of a `dependency`; `caller` is the identity of the record that it is made for."""

    dependency: str
    operation: str
    caller: str


class Watcher(Protocol):
    """Who is told of the calls that a message makes, and may refuse them."""

    def begin(self, call: Call) -> None:
        """Raises DependencyDown when the operation is not to be asked now."""

    def succeeded(self, call: Call) -> None:
        """The service did what was asked."""

    def failed(self, call: Call, error: DependencyDown | TransientError) -> None:
        """The service did not: it may be out, or this record may be at fault."""

    def abandoned(self, call: Call) -> None:
        """The call says nothing of the service: it refused this record, or the time was over."""


_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
_caller: ContextVar[str] = ContextVar("caller", default="")


@contextmanager
def operation(dependency: str, name: str) -> Iterator[None]:
    """One call of the operation `name`, asked and understood; also a decorator. Unwatched it changes nothing.

    Raises DependencyDown instead of calling when the watcher says so.
    """
    watcher = _watcher.get()
    if watcher is None:
        yield
        return
    call = Call(dependency=dependency, operation=name, caller=_caller.get())
    watcher.begin(call)
    try:
        yield
    except (DependencyDown, TransientError) as error:
        watcher.failed(call, error)
        raise
    except BaseException:
        watcher.abandoned(call)
        raise
    else:
        watcher.succeeded(call)


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """The calls that are made inside are watched."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


@contextmanager
def calling_for(caller: str) -> Iterator[None]:
    """The calls that are made inside are made for the record with this identity."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)
