"""Celery's schedule and tuning, one reason each; `lern_tasks/celeryconfig.py` is this file, and what the package reads.

An installation changes it by a file of its own that `LERN_CELERY_CONFIG` names. What no message lost rests on is in
lern_tasks/settings/celery_guarantees.py, and no file changes that. See docs/operations.md, "Celery's settings".
"""

from celery.schedules import crontab

from lern_tasks import catalogue, settings

_settings = settings.load()

result_expires = 86_400  # a day: outcome counts and admin tasks are looked at on the same day

task_track_started = True
worker_eta_task_limit = 1000  # countdowns wait in the worker's memory
worker_soft_shutdown_timeout = float(_settings.tasks.soft_shutdown)
worker_max_tasks_per_child = _settings.tasks.worker_max_tasks
worker_hijack_root_logger = False
worker_enable_remote_control = True  # Flower

broker_transport_options = {
    "unacked_restore_interval": 5,  # seconds between looks for messages of dead workers
    "unacked_mutex_expire": 30,  # seconds that a worker which dies in such a look keeps the others from it; not 300
    "unacked_restore_throttle": 1,  # every look, not every tenth
    "socket_timeout": min(_settings.redis.timeout, 5),  # seconds; while the main process waits, all its children do
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,  # seconds of silence until a connection that was cut is dropped: found within 30
}
redis_socket_timeout = _settings.redis.timeout  # of the results; Celery's own is two minutes
redis_socket_connect_timeout = 5
redis_socket_keepalive = True
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
