"""The reads of the bulk user index and the hashes that it writes, and nothing else: what driver and Redis can do."""

import json
import subprocess
import sys
import time
from typing import Any

import redis
from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import RoundRobinPolicy, TokenAwarePolicy
from cassandra.query import dict_factory

from benchmarks.index_rows import USER_COLUMNS

PAGE = 1000
IN_FLIGHT = 64

HASH: Any = {
    "firstname": "Learner 12345",
    "lastname": "Rao",
    "email": "q0JxVh0Zk8m1N2b3" * 6,
    "phone": "Zk8m1N2b3q0JxVh0" * 6,
    "rootorgid": "root",
    "orgname": "Karnataka",
    "usersignintype": "Validated",
    "board": "CBSE",
    "framework": "k-12",
    "medium": '["English","Kannada"]',
    "grade": '["Class 1","Class 2"]',
    "state": "state 1",
    "district": "district 1",
    "block": "block 1",
    "cluster": "cluster 1",
    "schoolname": "Government High School 12345",
    "schooludisecode": "29012345",
    "usertype": "teacher,administrator",
    "usersubtype": "hm",
    "profileusertypes": r'\[{"type":"teacher"},{"subType":"hm","type":"administrator"}\]',
}
"""A hash as the index writes it."""


def run_statements(node: tuple[str, int], keyspace: str, redis_url: str) -> float:
    """Seconds for all users of `keyspace`, in a process of its own as the command is one."""
    arguments = json.dumps([*node, keyspace, redis_url])
    command = [sys.executable, "-m", "benchmarks.index_statements", arguments]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def main(host: str, port: int, keyspace: str, redis_url: str) -> None:
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(RoundRobinPolicy()),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        row_factory=dict_factory,
    )
    cluster = Cluster([host], port=port, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, protocol_version=4)
    session = cluster.connect(keyspace)
    scan = session.prepare(f"SELECT {USER_COLUMNS} FROM user")
    scan.fetch_size = PAGE
    member = session.prepare("SELECT organisationid, isdeleted FROM user_organisation WHERE userid = ?")
    client = redis.Redis.from_url(f"{redis_url}/12")
    start = time.perf_counter()
    rows = session.execute(scan, timeout=60)
    while True:
        users: list[Any] = rows.current_rows
        found = execute_concurrent_with_args(session, member, [(row["userid"],) for row in users], IN_FLIGHT)
        for _, answer in found:
            list(answer)
        pipe = client.pipeline(transaction=False)
        for row in users:
            pipe.hset(f"user:{row['userid']}", mapping=HASH)
        pipe.execute()
        if not rows.has_more_pages:
            break
        rows.fetch_next_page()
    print(time.perf_counter() - start)
    cluster.shutdown()


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
