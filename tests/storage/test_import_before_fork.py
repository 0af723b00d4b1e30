"""The driver is imported once, by the process that forks the others."""

import json
import os
import subprocess
import sys

import pytest

WORKER = """
import json, sys
from celery.signals import worker_init
from lern_tasks.app import app

def imported():
    return "lern_tasks.storage.cassandra.gateway" in sys.modules

app.loader.import_default_modules()  # as a worker does, before it sends the signal
before = imported()
worker_init.send(sender=None)
print(json.dumps([before, imported()]))
"""


@pytest.mark.parametrize(("store", "driver"), [("cassandra", True), ("sqlite:here.sqlite", False)])
def test_a_worker_imports_the_driver_of_its_store_before_it_forks(store: str, driver: bool) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LERN_")}
    run = subprocess.run(
        [sys.executable, "-c", WORKER],
        env={**kept, "LERN_STORE": store},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == [False, driver]
