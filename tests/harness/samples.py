"""The documented sample events, one folder a topic under `tests/samples/`, and what reads them."""

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from lern_tasks.catalogue import ROWS, EventJob
from lern_tasks.settings import Settings

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples"


def topic_of(job: EventJob) -> str:
    """The topic that the job reads by default, without the environment."""
    return Settings.model_construct().job(job).kafka_input_topic.removeprefix("{env}.")


def samples_of(job: EventJob, root: Path = ROOT) -> list[Path]:
    """The documented events of the job's topic."""
    return sorted((root / "tests" / "samples" / topic_of(job)).glob("*.json"))


def parser_of(job: EventJob) -> Callable[[str | None], Any]:
    """What reads the job's events: what its task was made with."""
    task = getattr(import_module(ROWS[job].module), job)
    return cast("Callable[[str | None], Any]", inspect.getclosurevars(task.__wrapped__).nonlocals["parse"])
