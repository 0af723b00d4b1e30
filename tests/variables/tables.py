"""The tables of all variables together."""

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

CASES: list[Case] = [
    *shared.CASES,
    *relation.CASES,
    *progress.CASES,
    *assessment.CASES,
    *merge.CASES,
    *pre_processor.CASES,
    *generator.CASES,
    *documents.CASES,
    *user_cache.CASES,
]

NO_EFFECT: list[Idle] = [
    *relation.IDLE,
    *progress.IDLE,
    *assessment.IDLE,
    *merge.IDLE,
    *pre_processor.IDLE,
    *generator.IDLE,
    *user_cache.IDLE,
]
