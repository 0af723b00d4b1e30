"""`python -m bridge [--job NAME ...]`: Kafka records in, Celery task messages out. See docs/operations.md."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from bridge import failed_topics, metrics_page
from bridge.routes import Route, routes
from bridge.service import Service
from lern_tasks import logs, settings
from lern_tasks.catalogue import EVENT_JOBS
from lern_tasks.errors import SettingsError
from lern_tasks.settings import celery_layers

_WRONG_USE = 2
"""Exit status for a wrong argument or setting, as argparse has it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bridge until SIGTERM or SIGINT. Returns the exit status."""
    jobs = _jobs(arguments)
    try:
        values = settings.load()
        logs.configure(values)
        chosen = [route for route in routes(values) if route.job in jobs]
        service = Service(values, chosen)
        if values.bridge.metrics_port:
            metrics_page.serve(values.bridge.metrics_host, values.bridge.metrics_port)
    except SettingsError as error:
        print(f"bridge: {error}", file=sys.stderr)  # noqa: T201 (the log's own settings may be what is wrong)
        return _WRONG_USE
    logs.logger("bridge").info("celery_config", **celery_layers.current().described())
    for route in chosen:
        _log_route(route)
    # Beside the start, which waits for no Kafka.
    threading.Thread(target=failed_topics.name_missing, args=(values, chosen), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: _stop(service, number))
    return service.run()


def _jobs(arguments: Sequence[str] | None) -> list[str]:
    parser = argparse.ArgumentParser(
        prog="python -m bridge", description="Hands the records of Kafka topics over to Celery tasks."
    )
    parser.add_argument(
        "--job", action="append", metavar="NAME", help=f"only this job; may be repeated. Names: {', '.join(EVENT_JOBS)}"
    )
    jobs: list[str] = parser.parse_args(arguments).job or list(EVENT_JOBS)
    for job in jobs:
        if job not in EVENT_JOBS:
            parser.error(f"there is no job {job!r} that reads a topic; valid names: {', '.join(EVENT_JOBS)}")
    return jobs


def _log_route(route: Route) -> None:
    logs.logger("bridge").info(
        "route",
        job=route.job,
        topic=route.topic,
        group=route.group,
        queue=route.queue,
        records=route.records,
        failed_topic=route.failed_topic,
    )


def _stop(service: Service, number: int) -> None:
    # A second signal ends the process at once.
    signal.signal(number, signal.SIG_DFL)
    service.stop()


if __name__ == "__main__":
    sys.exit(main())
