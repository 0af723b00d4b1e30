"""Records of a topic through bridge and task to a row and to dead letters, and where the job is listed.

`python -m tests.toy_job.walk DIRECTORY` in a checkout with the job of docs/adding-a-job.md; prints JSON.
"""

import base64
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import redis

from bridge.packing import PolledRecord, pack
from bridge.publisher import Broker
from bridge.routes import Route, routes
from lern_tasks import catalogue
from lern_tasks.cli.dead_letters.sources import from_topics
from lern_tasks.cli.doctor import cassandra, workers
from lern_tasks.cli.doctor.all import checks
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import process_resources
from lern_tasks.delivery.task import DeadRecords
from lern_tasks.demo.servers.kafka import Kafka
from lern_tasks.demo.servers.redis import Redis
from lern_tasks.operations.topics import failed_topics, needed_topics
from lern_tasks.settings import Settings, celery_layers, current
from lern_tasks.storage import open_gateway
from lern_tasks.storage.gateway import PutCells
from lern_tasks.sunbird.table_names import for_job, needed_tables, used_by

JOB: Any = "bookmark_updater"
ROW = ("u1", "do_1", "b1")


def event(user: str, content: str, at_ms: int) -> bytes:
    """As the page documents it."""
    data = {"action": "content-bookmark", "userId": user, "courseId": ROW[1], "batchId": ROW[2], "contentId": content}
    return json.dumps({"eid": "BE_JOB_REQUEST", "ets": at_ms, "edata": data}).encode()


VALUES = (
    event("u1", "do_2", 1_700_000_060_000),
    event("u1", "do_3", 1_700_000_000_000),
    b"not JSON",
    event("stranger", "do_2", 1_700_000_000_000),
)


def walk(settings: Settings, server: str) -> dict[str, Any]:
    """The row and the dead letters that the records lead to, and what the task said of them."""
    (route,) = (route for route in routes(settings) if route.job == JOB)
    table, store = for_job(settings, JOB).enrolments, open_gateway(settings)
    assert store.apply([PutCells(table=table, key=ROW, cells={"active": True})]) == [None]
    hand_over(route, settings)
    counts = work(redis.Redis.from_url(server), route)
    (row,) = store.get_many(table, [ROW], ["lastreadcontentid", "lastcontentaccesstime"]).values()
    store.close()
    letters = [
        (letter.message.topic, letter.failure and letter.failure.code, (letter.message.value or b"").decode())
        for letter in from_topics(settings, failed_topics(settings))
    ]
    return {"counts": counts, "row": row, "letters": letters}


def hand_over(route: Route, settings: Settings) -> None:
    """What the bridge does with what one poll returned."""
    polled = [
        PolledRecord(
            partition=0,
            offset=offset,
            size=len(value),
            record=Record.from_kafka(
                value=value, topic=route.topic, partition=0, offset=offset, key=None, timestamp=1_700_000_000_000
            ),
        )
        for offset, value in enumerate(VALUES)
    ]
    broker = Broker(route, settings)
    for message in pack(polled, route, max_bytes=settings.bridge.max_bytes_per_task):
        broker.send(message)
    broker.close()


def work(server: "redis.Redis", route: Route) -> list[str]:
    """Run the task on each message of its queue, as a worker would; what each run said."""
    from lern_tasks.app import configured_app  # noqa: PLC0415 (after the environment is set)

    app, said = configured_app(), []
    app.loader.import_default_modules()
    while found := server.rpop(route.queue):
        message: dict[str, Any] = json.loads(found)  # type: ignore[arg-type]
        task = app.tasks[message["headers"]["task"]]
        args, *_ = json.loads(base64.b64decode(message["body"]))
        task.push_request(id=message["headers"]["id"], properties=message["properties"])
        try:
            said.append(str(task.run(*args)))
        except DeadRecords as error:
            said.append(str(error))
        finally:
            task.pop_request()
    ctx = process_resources(current(), app)
    # Before the servers go: a producer that outlives the broker of its own process takes the process with it.
    ctx.kafka.close()
    ctx.gateway.close()
    return said


def listed(settings: Settings) -> dict[str, Any]:
    """What derives from the row."""
    return {
        "queues": [name for name in catalogue.QUEUES if "bookmark" in name],
        "modules": [name for name in catalogue.TASK_MODULES if "bookmark" in name],
        "celery": celery_layers.current().values["task_routes"][f"lern.{JOB}"],
        "topics": [asdict(topic) for topic in needed_topics(settings, [JOB])],
        "tables": [table.full_name for table in used_by(settings, JOB)],
        "schema check": used_by(settings, JOB)[0] in needed_tables(settings),
        "doctor": {
            "tables": [use.table.full_name for use in cassandra.wanted(settings, (JOB,))],
            "queues": [queue.name for queue in workers.queues((JOB,)) if queue.jobs],
            "checks": [check.name for check in checks(settings, (JOB,))],
        },
    }


def main(directory: Path) -> None:
    """Everything on loopback, in one process."""
    with Kafka({"dev.lern.tasks.failed": 1}) as kafka, Redis() as server:
        os.environ |= {
            "LERN_KAFKA__BROKERS": kafka.bootstrap,
            "LERN_KAFKA__CONSUMER_PROPERTIES": json.dumps({"fetch.wait.max.ms": "10"}),
            "LERN_REDIS__URL": server.url,
            "LERN_STORE": f"sqlite:{directory / 'store.sqlite'}",
            "LERN_FILES__URL": (directory / "files").as_uri(),
            "LERN_LOG_LEVEL": "ERROR",
        }
        found = {**walk(current(), f"{server.url}/0"), "listed": listed(current())}
    row = found["row"]
    row["lastcontentaccesstime"] = row["lastcontentaccesstime"].isoformat()
    print(json.dumps(found))  # noqa: T201 (its output is its answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
