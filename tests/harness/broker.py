"""How many messages the broker holds, wherever they lie."""

from typing import Any

from lern_tasks.catalogue import QUEUES
from lern_tasks.delivery.transport.redis_transport import CLAIMS


def messages(broker: Any, *queues: str) -> int:
    """Messages in the queues (all when none is named), taken, and not yet acknowledged.

    Counted in one step of Redis: a message moves on between two, and a task hands off before it is acknowledged.
    """
    with broker.pipeline() as pipe:
        for queue in queues or QUEUES:
            pipe.llen(queue)
        pipe.hlen(CLAIMS)
        pipe.hlen("unacked")
        return sum(pipe.execute())
