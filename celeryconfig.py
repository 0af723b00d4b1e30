"""Celery's settings, one reason each. Ours come from the environment: `lern settings` lists them."""

from celery.schedules import crontab
from kombu.entity import Queue

from lern_tasks import catalogue, settings

_settings = settings.load()

broker_url = _settings.redis_url("broker")
broker_transport = "lern_tasks.delivery.redis_transport:Transport"  # takes a message and notes it down in one step
result_backend = _settings.redis_url("results")
result_expires = 86_400  # a day: outcome counts and admin tasks are looked at on the same day

task_serializer = "json"  # readable in Flower and redis-cli
result_serializer = "json"
accept_content = ["json"]  # nothing that can run code while being read

task_queues = [Queue(name) for name in catalogue.QUEUES]
task_default_queue = catalogue.MAINTENANCE_QUEUE  # nothing lands unseen in a queue called "celery"
task_routes = {
    **{catalogue.task_name(job): {"queue": catalogue.queue_name(job)} for job in catalogue.JOBS},
    "lern.publish_parked": {"queue": catalogue.MAINTENANCE_QUEUE},
    "lern.index_users_daily": {"queue": catalogue.MAINTENANCE_QUEUE},
    # What people trigger, through Flower for instance, never delays live learners.
    "lern.*": {"queue": catalogue.BULK_QUEUE},
}
task_create_missing_queues = False  # a misspelt queue is an error, not a queue that nobody reads

task_acks_late = True  # a message is done when its effects are
task_reject_on_worker_lost = True  # a lost child gives its message back at once; the delivery counter bounds it
task_acks_on_failure = True  # failures are dead letters by then
task_acks_on_timeout = False  # a task ended by its hard limit comes back; the delivery counter bounds it
task_track_started = True
worker_prefetch_multiplier = 1  # a waiting message is better off in Redis than in a busy worker
worker_eta_task_limit = 1000  # countdowns wait in the worker's memory
worker_soft_shutdown_timeout = float(_settings.tasks.soft_shutdown)
worker_max_tasks_per_child = _settings.tasks.worker_max_tasks
worker_hijack_root_logger = False
worker_enable_remote_control = True  # Flower
worker_consumer = "lern_tasks.delivery.parked_messages:ParkingConsumer"  # keeps what Celery would drop

broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # an outage of the broker ends by itself
broker_transport_options = {
    "visibility_timeout": _settings.visibility_timeout,
    "priority_steps": [0],  # one list a queue: no task has a priority
    "unacked_restore_interval": 5,  # seconds between looks for messages of dead workers
    "unacked_mutex_expire": 30,  # seconds that a worker which dies in such a look keeps the others from it; not 300
    "unacked_restore_throttle": 1,  # every look, not every tenth
    "socket_timeout": _settings.redis.timeout,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
result_backend_transport_options = {"retry_policy": {"timeout": 5.0, "max_retries": 3}}

beat_schedule = {
    "publish-parked": {
        "task": "lern.publish_parked",
        "schedule": 60.0,  # parked messages are rare; a minute is soon enough
        "options": {"queue": catalogue.MAINTENANCE_QUEUE, "expires": 60},
    },
    "missing-certificates": {
        "task": "lern.nightly_missing_certificates",
        "schedule": crontab(hour=1, minute=0),  # UTC; it reads all enrolments, while few learn
        "options": {"queue": catalogue.MAINTENANCE_QUEUE, "expires": 86_400},
    },
    "populate-user-cache": {
        "task": "lern.index_users_daily",
        "schedule": crontab(hour=3, minute=0),  # UTC; the documented time, when few learn and before the reports
        "options": {"queue": catalogue.MAINTENANCE_QUEUE, "expires": 86_400},
    },
}
