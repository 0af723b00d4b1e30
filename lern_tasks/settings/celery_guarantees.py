"""What Celery is told and no file changes: on these rests that no message is lost. A reason each.

See docs/architecture.md, "Deaths", and docs/operations.md, "Celery's settings".
"""

from typing import Any

from kombu.entity import Queue

from lern_tasks import catalogue
from lern_tasks.settings import Settings

TRANSPORT = "lern_tasks.delivery.transport.redis_transport:Transport"
WORKER_CONSUMER = "lern_tasks.delivery.parked_messages:ParkingConsumer"


UNSET = frozenset(
    {
        "broker_read_url",  # one broker: the bridge's back-pressure and `lern doctor` look at no other
        "broker_write_url",
        "task_annotations",  # they would set what is guaranteed here, task by task
        "task_default_rate_limit",  # a message that waits for its rate beyond the visibility timeout comes twice
    }
)
"""Settings of Celery that nobody sets."""


def guarantees(settings: Settings) -> dict[str, Any]:
    """The settings by Celery's names; of `broker_transport_options` only the part that is fixed."""
    return {
        **servers(settings),
        "broker_transport": TRANSPORT,  # takes a message and notes it down in one step
        "broker_transport_options": {
            "visibility_timeout": settings.visibility_timeout,
            "priority_steps": [0],  # one list a queue: no task has a priority
            # The bridge and the transport above read and write these keys themselves.
            "global_keyprefix": "",
            "unacked_key": "unacked",
            "unacked_index_key": "unacked_index",
        },
        **_CONTENT,
        **_queues(),
        **_ACKNOWLEDGEMENT,
        **_OUTAGES,
    }


def servers(settings: Settings) -> dict[str, Any]:
    """Where broker and results are. Celery reads no options in an address, and takes TLS from settings of its own."""
    broker, results = settings.redis_address("broker"), settings.redis_address("results")
    return {
        "broker_url": broker.plain_url,
        "broker_use_ssl": broker.tls,
        "result_backend": results.plain_url,
        "redis_backend_use_ssl": results.tls,
    }


_CONTENT = {
    "task_serializer": "json",  # readable in Flower and redis-cli
    "result_serializer": "json",
    "event_serializer": "json",
    "accept_content": ["json"],  # nothing that can run code while being read
    "result_accept_content": ["json"],
}
_OUTAGES = {
    # A Redis that refuses writes (a replica after a failover, full, loading) answers, and it is an outage all the same:
    # without this the worker ends.
    "broker_channel_error_retry": True,
    "broker_connection_max_retries": None,  # an outage of the broker ends by itself
    "broker_connection_retry_on_startup": True,
}
_ACKNOWLEDGEMENT = {
    "task_always_eager": False,
    "task_acks_late": True,  # a message is done when its effects are
    "task_reject_on_worker_lost": True,  # a lost child gives its message back at once; the delivery counter bounds it
    "task_retry_on_worker_lost": False,  # it acknowledges first and publishes then: a death in between loses the task
    "task_acks_on_failure": True,  # failures are dead letters by then
    "task_acks_on_timeout": False,  # a task ended by its hard limit comes back; the delivery counter bounds it
    "worker_pool": "prefork",  # time limits need processes
    "worker_prefetch_multiplier": 1,  # a waiting message is better off in Redis than in a busy worker
    "worker_consumer": WORKER_CONSUMER,  # keeps what Celery would drop
}


def _queues() -> dict[str, Any]:
    return {
        "task_queues": [Queue(name) for name in catalogue.QUEUES],
        "task_default_queue": catalogue.MAINTENANCE_QUEUE,  # nothing lands unseen in a queue called "celery"
        "task_default_exchange_type": "direct",
        "task_create_missing_queues": False,  # a misspelt queue is an error, not a queue that nobody reads
        "task_routes": {task: {"queue": queue} for task, queue in catalogue.ROUTES.items()},
    }
