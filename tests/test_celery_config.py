"""Celery's settings: ours over whatever lies about, an installation's own file over ours, the guarantees over both."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from celery.app.defaults import SETTING_KEYS
from celery.schedules import crontab
from celery.worker.consumer import Consumer
from kombu.transport.redis import Transport

from lern_tasks import celeryconfig
from lern_tasks.errors import SettingsError
from lern_tasks.settings import celery_guarantees, celery_layers, load
from lern_tasks.settings.celery_layers import CeleryConfig
from tests.harness.processes import kill_group, settings_of
from tests.harness.waiting import wait_until

ROOT = Path(__file__).resolve().parents[1]

STRANGER = """
from pathlib import Path
Path("it-was-read").touch()
broker_url = "memory://"
broker_transport = task_queues = worker_consumer = None
task_acks_late = False
accept_content = ["pickle"]
beat_schedule = {}
"""

CONF = """
import json, pickle
from celery.app.utils import find_app
from bridge.publisher import bare_app
from lern_tasks import settings
app = find_app("lern_tasks")
for each in (app, pickle.loads(pickle.dumps(app)), bare_app(settings.load())):
    conf = each.conf
    print(json.dumps([conf.task_acks_late, conf.accept_content, len(conf.task_queues), conf.broker_url,
                      sorted(conf.beat_schedule), conf.worker_consumer, conf.broker_transport]))
"""


def environment(**lern: str) -> dict[str, str]:
    """A process's environment with no settings but `lern`, and no server that answers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LERN_", "CELERY_"))}
    return {**kept, "LERN_REDIS__URL": "redis://127.0.0.1:1", "LERN_KAFKA__BROKERS": "127.0.0.1:1", **lern}


def run(cwd: Path, *arguments: str, **lern: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment(**lern),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def own(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "own.py"
    file.write_text(text)
    return file


def read(file: Path | str, **lern: str) -> CeleryConfig:
    return celery_layers.read(settings_of({"LERN_CELERY_CONFIG": str(file), **lern}))


def test_a_celeryconfig_in_the_current_directory_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "celeryconfig.py").write_text(STRANGER)
    report = run(tmp_path, "-m", "celery", "-A", "lern_tasks", "report")
    assert "task_acks_late: True" in report.stdout, report.stderr
    assert "redis://127.0.0.1:1/0" in report.stdout
    assert "publish-parked" in report.stdout
    printed = run(tmp_path, "-c", CONF)
    assert printed.returncode == 0, printed.stderr
    worker, spawned, bridge = map(json.loads, printed.stdout.splitlines())
    assert worker == spawned
    assert worker == [
        True,
        ["json"],
        13,
        "redis://127.0.0.1:1/0",
        ["missing-certificates", "populate-user-cache", "publish-parked"],
        celery_guarantees.WORKER_CONSUMER,
        celery_guarantees.TRANSPORT,
    ]
    assert bridge == [*worker[:6], None]
    assert not (tmp_path / "it-was-read").exists()


def test_without_a_file_of_its_own_an_installation_has_ours() -> None:
    config = celery_layers.read(load())
    assert config.described() == {"files": [str(ROOT / "celeryconfig.py")], "own": []}
    assert config.values["beat_schedule"] == celeryconfig.beat_schedule
    assert config.values["worker_eta_task_limit"] == celeryconfig.worker_eta_task_limit
    assert config.values["broker_transport_options"].items() > celeryconfig.broker_transport_options.items()
    assert config.values.keys() <= SETTING_KEYS


def test_an_own_file_changes_schedule_and_tuning_entry_by_entry(tmp_path: Path) -> None:
    file = own(
        tmp_path,
        """
from celery.schedules import crontab
_hour = 22
worker_concurrency = 3
worker_max_tasks_per_child = None
redbeat_lock_timeout = 60
broker_transport_options = {"socket_connect_timeout": 9}
beat_schedule = {
    "missing-certificates": {"schedule": crontab(hour=_hour, minute=0)},
    "populate-user-cache": None,
    "tidy": {"task": "office.tidy", "schedule": 3600.0},
}
""",
    )
    config = read(file)
    ours = celeryconfig.beat_schedule
    assert config.values["beat_schedule"] == {
        "publish-parked": ours["publish-parked"],
        "missing-certificates": {**ours["missing-certificates"], "schedule": crontab(hour=22, minute=0)},
        "tidy": {"task": "office.tidy", "schedule": 3600.0},
    }
    assert config.values["worker_concurrency"] == 3
    assert config.values["worker_max_tasks_per_child"] is None
    options = config.values["broker_transport_options"]
    assert options["socket_connect_timeout"] == 9
    assert options["unacked_restore_interval"] == 5
    assert options["visibility_timeout"] == load().visibility_timeout
    assert "crontab" not in config.values
    assert config.files == (ROOT / "celeryconfig.py", file)
    assert config.own == (
        "beat_schedule",
        "broker_transport_options",
        "redbeat_lock_timeout",
        "worker_concurrency",
        "worker_max_tasks_per_child",
    )


def test_an_own_file_may_begin_with_ours(tmp_path: Path) -> None:
    text = "from lern_tasks.celeryconfig import worker_eta_task_limit\nworker_eta_task_limit *= 2\n"
    assert read(own(tmp_path, text)).values["worker_eta_task_limit"] == 2 * celeryconfig.worker_eta_task_limit


FIXED = sorted({*celery_guarantees.guarantees(load()), *celery_guarantees.UNSET} - {"broker_transport_options"})


def test_what_safety_stands_on_is_fixed() -> None:
    assert {
        *("broker_url", "broker_transport", "task_queues", "task_routes", "task_default_queue", "worker_consumer"),
        *("task_create_missing_queues", "task_acks_late", "task_reject_on_worker_lost", "task_acks_on_timeout"),
        *("task_serializer", "accept_content", "worker_prefetch_multiplier", "task_annotations"),
    } <= set(FIXED)
    assert set(FIXED) <= SETTING_KEYS
    assert not set(FIXED) & set(vars(celeryconfig))


@pytest.mark.parametrize("name", FIXED)
def test_an_own_file_cannot_change_a_guarantee(tmp_path: Path, name: str) -> None:
    file = own(tmp_path, f"worker_concurrency = 2\n{name} = None\n")
    with pytest.raises(SettingsError, match=rf"^LERN_CELERY_CONFIG: {file} sets {name}; take that out: [^\n]*$"):
        read(file)


def test_all_that_an_own_file_may_not_set_is_named_at_once(tmp_path: Path) -> None:
    options = 'broker_transport_options = {"visibility_timeout": 5, "socket_timeout": 1, "global_keyprefix": "x"}'
    file = own(tmp_path, f"task_acks_late = False\n{options}\n")
    named = "sets task_acks_late, broker_transport_options['visibility_timeout'], broker_transport_options['global_key"
    with pytest.raises(SettingsError) as refused:
        read(file)
    assert named in str(refused.value)
    assert "socket_timeout" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nworker_concurrency = eight\n", r"own.py, line 2: NameError: name 'eight' is not defined; mend the"),
        ("worker_concurrency = \n", r"own.py: SyntaxError: invalid syntax \(own.py, line 1\); mend the file"),
        ("raise ValueError('two\\nlines')", r"own.py, line 1: ValueError: two lines; mend the file"),
        ("CELERY_ACKS_LATE = False", r"own.py: CELERY_ACKS_LATE; write Celery's settings in lower case"),
        ("beat_schedule = []", r"own.py: beat_schedule is no dict; give the entries that differ from ours"),
    ],
)
def test_a_wrong_own_file_is_refused_with_a_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"^LERN_CELERY_CONFIG: [^\n]*{said}[^\n]*$"):
        read(own(tmp_path, text))


@pytest.mark.parametrize("path", ["office.celery", "."])
def test_a_path_without_a_file_is_refused(path: str) -> None:
    said = rf"^LERN_CELERY_CONFIG: there is no file {Path(path).absolute()}; name a Python file, or unset the variable$"
    with pytest.raises(SettingsError, match=said):
        read(path)


@pytest.mark.parametrize(("command", "who"), [("celery -A lern_tasks worker", "lern_tasks"), ("bridge", "bridge")])
def test_a_process_says_in_one_line_why_it_does_not_start(tmp_path: Path, command: str, who: str) -> None:
    ended = run(tmp_path, "-m", *command.split(), LERN_CELERY_CONFIG="nowhere.py")
    said = f"LERN_CELERY_CONFIG: there is no file {tmp_path / 'nowhere.py'}; name a Python file, or unset the variable"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"{who}: {said}\n")


@pytest.mark.parametrize("command", ["celery -A lern_tasks worker -c 1", "celery -A lern_tasks beat", "bridge"])
def test_the_start_logs_which_files_were_read(tmp_path: Path, command: str) -> None:
    file, log = own(tmp_path, "worker_max_tasks_per_child = 7\n"), tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command.split()],
            cwd=tmp_path,
            env=environment(LERN_CELERY_CONFIG=str(file), LERN_LOG_FORMAT="json"),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        lines = wait_until(lambda: lines_of(log, "celery_config"), seconds=60, what="the line in the log")
    finally:
        kill_group(process)
    assert [(line["level"], line["files"], line["own"]) for line in lines] == [
        ("info", [str(ROOT / "celeryconfig.py"), str(file)], ["worker_max_tasks_per_child"])
    ]


def lines_of(log: Path, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    return [line for line in lines if line["event"] == event]


def test_the_file_at_the_top_and_the_module_are_one_text() -> None:
    assert (ROOT / "lern_tasks" / "celeryconfig.py").readlink() == Path("../celeryconfig.py")


@pytest.mark.parametrize(
    ("name", "base"), [(celery_guarantees.TRANSPORT, Transport), (celery_guarantees.WORKER_CONSUMER, Consumer)]
)
def test_the_names_of_classes_are_right(name: str, base: type[Any]) -> None:
    module, _, found = name.partition(":")
    assert issubclass(getattr(import_module(module), found), base)
