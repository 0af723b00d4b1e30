"""Whether what lies in a queue is a task message that Celery can run. See docs/architecture.md, "Parked messages".

Celery believes its broker: what is of another form ends the worker's main process, or is dropped by a child. So the
form is checked when a message is taken, and what has another is parked.
"""

import base64
from datetime import datetime
from typing import Annotated, Any

import msgspec
from kombu.utils import json as untyped_json

from lern_tasks.catalogue import QUEUES

kombu_json: Any = untyped_json

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
"""Task ids, tags and names: they become Redis keys, and longer ones are none of ours."""


class _DeliveryInfo(msgspec.Struct):
    exchange: str
    routing_key: str
    priority: int | None = None
    redelivered: bool | None = None


class _Properties(msgspec.Struct):
    delivery_tag: _Id
    delivery_info: _DeliveryInfo
    body_encoding: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    priority: int | None = None


class _Headers(msgspec.Struct):
    """Celery's message protocol 2; members that it only passes on are not looked at."""

    task: _Id
    id: _Id
    root_id: str | None = None
    parent_id: str | None = None
    group: str | None = None
    eta: datetime | None = None
    expires: datetime | float | None = None
    retries: int | None = None
    timelimit: tuple[float | None, float | None] | None = None
    argsrepr: str | None = None
    kwargsrepr: str | None = None
    origin: str | None = None
    ignore_result: bool | None = None
    replaced_task_nesting: int | None = None
    stamped_headers: list[str] | None = None
    stamps: dict[str, Any] | None = None


class _Message(msgspec.Struct, rename={"content_type": "content-type", "content_encoding": "content-encoding"}):
    body: str
    content_type: str
    content_encoding: str
    headers: dict[str, Any]
    properties: _Properties


class _Embed(msgspec.Struct):
    """What follows the task. None of ours has a callback: the jobs hand off by themselves."""

    callbacks: list[dict[str, Any]] | None = None
    errbacks: list[dict[str, Any]] | None = None
    chain: list[dict[str, Any]] | None = None
    chord: dict[str, Any] | None = None


class NotATask(Exception):
    """The message has another form; the text says where."""


def check(raw: bytes, queue: str) -> dict[str, Any]:
    """The message as kombu packs it; in a queue of tasks it is one. Raises NotATask."""
    try:
        message = msgspec.convert(msgspec.json.decode(raw), _Message)
        body = _body(message)
        if queue in QUEUES:
            msgspec.convert(message.headers, _Headers)
            if message.content_type == "application/json":
                msgspec.json.decode(body, type=tuple[list[msgspec.Raw], dict[str, msgspec.Raw], _Embed])
        # What kombu makes of it: it knows types that JSON has not.
        whole: dict[str, Any] = kombu_json.loads(raw)
    except (msgspec.MsgspecError, LookupError, ValueError, TypeError, RecursionError) as error:
        raise NotATask(f"not a task message: {error}") from None
    return whole


def _body(message: _Message) -> bytes:
    encoding = message.properties.body_encoding
    if encoding is None:
        return message.body.encode(message.content_encoding)
    if encoding != "base64":
        raise ValueError(f"its body has the encoding {encoding!r}")
    return base64.b64decode(message.body, validate=True)
