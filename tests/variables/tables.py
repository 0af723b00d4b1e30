"""The tables of all variables together."""

from lern_tasks.catalogue import EVENT_JOBS
from tests.variables import (
    assessment,
    documents,
    generator,
    merge,
    pre_processor,
    progress,
    relation,
    shared,
    user_cache,
)
from tests.variables.case import Case, Idle
from tests.variables.observations import common, invalid, waiting

CASES: list[Case] = [
    *shared.CASES,
    *(case for job in EVENT_JOBS for case in common(job)),
    *relation.CASES,
    *progress.CASES,
    *assessment.CASES,
    *merge.CASES,
    *pre_processor.CASES,
    *generator.CASES,
    *documents.CASES,
    *user_cache.CASES,
]

_IDLE: list[Idle] = [
    *relation.IDLE,
    *progress.IDLE,
    *assessment.IDLE,
    *merge.IDLE,
    *pre_processor.IDLE,
    *generator.IDLE,
    *user_cache.IDLE,
]

NO_EFFECT: list[Idle] = [
    *_IDLE,
    # Of a job that has no variable without effect of its own.
    *(waiting(job, invalid(job)) for job in EVENT_JOBS if job not in {idle.scope for idle in _IDLE}),
]
