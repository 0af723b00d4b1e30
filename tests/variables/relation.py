"""The variables of relation_cache_updater."""

import json
from functools import partial
from typing import Final

from lern_tasks.sunbird.table_names import for_job
from tests.harness.course import course_tree
from tests.variables.case import Case
from tests.variables.environment import Stage
from tests.variables.observations import asked, tables, waiting

JOB: Final = "relation_cache_updater"


def publishing(stage: Stage) -> None:
    """A course is published."""
    tree = course_tree()
    stage.put(for_job(stage.settings, JOB).content_hierarchy, ("do_c1",), hierarchy=json.dumps(tree))
    edata = {"action": "post-publish-process", "identifier": "do_c1", "mimeType": tree["mimeType"]}
    stage.deliver(JOB, {"edata": edata})


_case = partial(Case, JOB)
_leaves, _unit = asked("SADD do_c1:do_c1:leafnodes"), asked("SET un1")

CASES = [
    _case("lms-cassandra.keyspace", "{env}_other", tables, {"dev_other.content_hierarchy"}, publishing),
    _case("lms-cassandra.table", "spare", tables, {"dev_hierarchy_store.spare"}, publishing),
    _case("redis.database.index", "11", _leaves, {"localhost:6379/11"}, publishing),
    _case("dp-redis.host", "units", _unit, {"units:6379/5"}, publishing),
    _case("dp-redis.port", "7000", _unit, {"localhost:7000/5"}, publishing),
    _case("dp-redis.database.index", "6", _unit, {"localhost:6379/6"}, publishing),
]

IDLE = [waiting(JOB, publishing)]
