"""Task messages that are broken somewhere: a good one with one or two members replaced, removed, or cut."""

import base64
import copy
import json
import random
import uuid
from typing import Any

VALUES: list[Any] = [
    *(None, 0, -1, 1.5, 10**30, True, "", "x", "\x00", "\ud800", "ü" * 300, "not a date", "W10="),
    *([], [1], ["a", "b"], [None], {}, {"a": 1}, {"__type__": "datetime", "__value__": "x"}, [[]], "A" * 5000),
]
"""What stands where something else is expected."""

BODIES: list[Any] = [
    [],
    {},
    [1],
    [[], {}, {}, {}],
    [[], {}],
    ["ab", {}, {}],
    [[], [], {}],
    [[], {}, []],
    "x",
    5,
    None,
    True,
]
"""JSON that is no body of a task."""


def good(queue: str, task: str, argument: Any) -> dict[str, Any]:
    """A message as Celery sends it."""
    task_id = str(uuid.uuid4())
    return {
        "body": _body([[argument], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": task_id,
            "shadow": None,
            "eta": None,
            "expires": None,
            "group": None,
            "group_index": None,
            "retries": 0,
            "timelimit": [None, None],
            "root_id": task_id,
            "parent_id": None,
            "argsrepr": "(...)",
            "kwargsrepr": "{}",
            "origin": "test",
            "ignore_result": False,
            "replaced_task_nesting": 0,
            "stamped_headers": None,
            "stamps": {},
        },
        "properties": {
            "correlation_id": task_id,
            "reply_to": str(uuid.uuid4()),
            "delivery_mode": 2,
            "priority": 0,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def broken(rng: random.Random, message: dict[str, Any]) -> bytes:
    """`message` with something wrong; now and then it is still one that Celery can run."""
    made = copy.deepcopy(message)
    kind = rng.random()
    if kind < 0.1:
        made["body"] = rng.choice([_body(rng.choice(BODIES)), "not base64!", "W10", _body([[]])[:-3]])
    elif kind < 0.2:
        return _bytes(rng, json.dumps(made).encode())
    for _ in range(rng.choice([1, 1, 2])):
        _replace(rng, made)
    return json.dumps(made).encode()


def _replace(rng: random.Random, message: dict[str, Any]) -> None:
    place: Any = message
    while True:
        name = rng.choice(list(place)) if isinstance(place, dict) and place else None
        if name is None:
            return
        if isinstance(place[name], dict) and place[name] and rng.random() < 0.7:
            place = place[name]
            continue
        if rng.random() < 0.2:
            del place[name]
        else:
            place[name] = copy.deepcopy(rng.choice(VALUES))
        return


def _bytes(rng: random.Random, whole: bytes) -> bytes:
    """Cut off, with a byte changed, or no JSON at all."""
    at = rng.randrange(len(whole))
    return rng.choice(
        [
            whole[:at],
            whole[:at] + bytes([rng.randrange(256)]) + whole[at + 1 :],
            rng.randbytes(rng.randrange(200)),
            b"[" * 5000,
            b"null",
        ]
    )


def _body(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()
