"""Causes of dead letters, job by job: how each comes about, what the letter says, what a person mends, what is well.

Before each the course is published, and a learner has stored all its contents and has earned a certificate of it.
"""

import json
from typing import Any

from lern_tasks.errors import TransientError
from lern_tasks.jobs.accounts import merge_user_courses
from lern_tasks.jobs.progress import activity_aggregate_updater
from lern_tasks.sunbird.tables import ACTIVITY_AGG, CONTENT_HIERARCHY, ENROLMENTS
from tests.harness.assess_events import answered, attempt
from tests.harness.attempts import attempt_row, store_attempt
from tests.harness.course import course_tree, publish
from tests.harness.in_process import Chain
from tests.harness.indexed import seed
from tests.harness.letters import FINISHED, NONE, RECONCILE, Letter, Step, raising
from tests.harness.merges import merge
from tests.harness.profiles import cached, changed, profile
from tests.harness.syncs import sync


def _relations(chain: Chain) -> bool:
    return bool(chain.ctx.redis.client("relation_cache").smembers("do_c1:do_c1:leafnodes"))


def _no_relations(chain: Chain, _: object) -> None:
    chain.ctx.redis.client("relation_cache").flushdb()
    chain.platform.add(contents={"do_c1": {"name": "Fractions 101", "status": "Live"}})
    chain.put(CONTENT_HIERARCHY, ("do_c1",), hierarchy="")


def _spoilt_tree(chain: Chain, _: object) -> None:
    chain.ctx.redis.client("relation_cache").flushdb()
    chain.put(CONTENT_HIERARCHY, ("do_c1",), hierarchy=json.dumps({**course_tree(), "children": "un1"}))


def _store_tree(chain: Chain) -> None:
    chain.put(CONTENT_HIERARCHY, ("do_c1",), hierarchy=json.dumps(course_tree()))


PUBLISHED = {
    "edata": {
        "action": "relation-cache-update",
        "identifier": "do_c1",
        "mimeType": "application/vnd.ekstep.content-collection",
    }
}


def _without(event: dict[str, Any], name: str, **edata: Any) -> dict[str, Any]:
    found = {**event["edata"], **edata}
    found.pop(name, None)
    return {**event, "edata": found}


RELATIONS = [
    Letter(
        job="relation_cache_updater",
        code="NOT_YET",
        says="has no stored hierarchy",
        event=PUBLISHED,
        cause=_no_relations,
        mend=_store_tree,
        well=_relations,
    ),
    Letter(
        job="relation_cache_updater",
        code="INVALID_EVENT",
        says="children",
        event=PUBLISHED,
        cause=_spoilt_tree,
        mend=_store_tree,
        well=_relations,
    ),
    Letter(
        job="relation_cache_updater",
        code="INVALID_EVENT",
        says="edata.identifier is missing",
        event=_without(PUBLISHED, "identifier"),
        command=NONE,
    ),
]

PROGRESS = [
    Letter(
        job="activity_aggregate_updater",
        code="NOT_YET",
        says="publish it again",
        event=FINISHED,
        cause=_no_relations,
        mend=publish,
    ),
    Letter(
        job="activity_aggregate_updater",
        code="INVALID_EVENT",
        says="edata.contents is null",
        event=_without(FINISHED, "", contents=None),
        command=RECONCILE,
    ),
    Letter(
        job="activity_aggregate_updater",
        code="INVALID_EVENT",
        says="edata.batchId is missing",
        event=_without(FINISHED, "batchId"),
        command=NONE,
    ),
    Letter(
        job="activity_aggregate_updater",
        code="BUG",
        says="unexpected ValueError",
        event=FINISHED,
        cause=raising(activity_aggregate_updater, "decide_all", ValueError("u1 is wrong")),
    ),
    Letter(
        job="enrolment_reconciliation",
        code="NOT_YET",
        says="publish it again",
        event=sync(),
        cause=_no_relations,
        mend=publish,
    ),
    Letter(
        job="enrolment_reconciliation",
        code="INVALID_EVENT",
        says="edata.courseId is a number",
        event=sync(courseId=5),
        command=NONE,
    ),
]


def _attempt_kept(chain: Chain) -> bool:
    return bool(attempt_row(chain).get("last_attempted_on")) and bool(
        chain.row(ACTIVITY_AGG, ("Course", "do_c1", "u1", "cb:b1")).get("aggregates")
    )


def _without_r1(chain: Chain, _: object) -> None:
    chain.ctx.redis.client("relation_cache").srem("do_c1:do_c1:leafnodes", "r1")


QUESTIONS = {"LERN_ASSESSMENT_AGGREGATOR__ASSESSMENT_SKIP_MISSINGRECORDS": "true"}
ASSESSMENTS = [
    Letter(
        job="assessment_aggregator",
        code="NOT_A_LEAF_NODE",
        says="publish the course again",
        event=attempt(),
        cause=_without_r1,
        mend=publish,
        well=_attempt_kept,
    ),
    Letter(
        job="assessment_aggregator",
        code="TOO_MANY_QUESTIONS",
        says="if it has more by now",
        event=attempt(answered("q1"), answered("q2")),
        env=QUESTIONS,
        cause=lambda chain, _: chain.platform.add(contents={"r1": {"totalQuestions": 1}}),
        mend=lambda chain: chain.platform.add(contents={"r1": {"totalQuestions": 2}}),
        well=_attempt_kept,
    ),
    Letter(
        job="assessment_aggregator",
        code="ATTEMPT_WITHOUT_TIME",
        says="mend the row",
        event=attempt(),
        cause=lambda chain, _: store_attempt(chain, "r1", "att-1", (1, 1), None),
        mend=lambda chain: store_attempt(chain, "r1", "att-1", (1, 1), 1_600_000_000_000),
        well=_attempt_kept,
    ),
    Letter(
        job="assessment_aggregator",
        code="INVALID_EVENT",
        says="assessmentTs is missing",
        event={name: value for name, value in attempt().items() if name != "assessmentTs"},
        command=NONE,
    ),
]


def _merged(chain: Chain) -> bool:
    return chain.row(ENROLMENTS, ("u-new", "do_c1", "b1")).get("status") == 2


ACCOUNTS = [
    Letter(
        job="merge_user_courses",
        code="TRANSIENT",
        says="written by somebody else",
        event=merge("u1", "u-new"),
        cause=raising(merge_user_courses, "read", TransientError("a row was written by somebody else meanwhile")),
        mend=lambda chain: chain.platform.add(users={"u-new": {"firstName": "Asha"}}),
        well=_merged,
    ),
    Letter(
        job="merge_user_courses",
        code="INVALID_EVENT",
        says="toAccountId is missing",
        event=_without(merge("u1", "u-new"), "toAccountId"),
        command=NONE,
    ),
]


def _hash_of(user: str) -> Step:
    def well(chain: Chain) -> bool:
        is_hash = chain.ctx.redis.client("users").type(f"user:{user}") == "hash"
        return is_hash and cached(chain, user).get("firstname") == "Asha"

    return well


def _no_hash(chain: Chain, _: object) -> None:
    profile(chain)
    chain.ctx.redis.client("users").set("user:u-100", "x")


USERS = [
    Letter(
        job="user_cache_updater",
        code="NOT_YET",
        says="no such user",
        event=changed("u-100"),
        mend=profile,
        well=_hash_of("u-100"),
    ),
    Letter(
        job="user_cache_updater",
        code="TRANSIENT",
        says="delete it",
        event=changed("u-100"),
        cause=_no_hash,
        mend=lambda chain: chain.ctx.redis.client("users").delete("user:u-100"),
        well=_hash_of("u-100"),
    ),
    Letter(
        job="user_cache_updater",
        code="INVALID_EVENT",
        says="object.id is missing",
        event={**changed("u-100"), "object": {"type": "User"}},
        cause=lambda chain, _: seed(chain, "u-100", firstname="Asha"),
        command="lern index-users --since full",
        well=_hash_of("u-100"),
    ),
]
OF_OTHERS = [*RELATIONS, *PROGRESS, *ASSESSMENTS, *ACCOUNTS, *USERS]
"""The letters of all jobs but those of certificates: see certificate_causes.py."""
