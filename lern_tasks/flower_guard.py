"""Flower as `celery -A lern_tasks flower` starts it. See docs/administration.md, "Flower"."""

import click
from celery.app import Celery
from flower import command
from flower.app import Flower

from lern_tasks.settings import Settings

_OPEN = (
    "Flower shows ids of learners and triggers tasks: start it with --basic-auth=USER:PASSWORD (or FLOWER_BASIC_AUTH), "
    "or set LERN_FLOWER__OPEN=1 where something else keeps strangers out"
)


class _NoPassword(click.ClickException):
    exit_code = 2


def install(settings: Settings) -> None:
    """Let Flower's command start this Flower, once it has read its options."""

    class GuardedFlower(Flower):
        """Refuses to start without a password, and finds the broker behind our transport's name."""

        # By this address' scheme it chooses how to look into queues; our transport's name is none that it knows.
        broker_uri_with_password = settings.redis_url("broker")
        transport = "redis"

        def __init__(self, options: object, capp: Celery, **kwargs: object) -> None:
            if not (settings.flower.open or getattr(options, "basic_auth", None) or getattr(options, "auth", None)):
                raise _NoPassword(_OPEN)
            super().__init__(options=options, capp=capp, **kwargs)

    command.Flower = GuardedFlower
