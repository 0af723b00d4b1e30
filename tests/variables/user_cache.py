"""The variables of user_cache_updater."""

from functools import partial
from typing import Final

from lern_tasks.jobs.users.index.index_users import NAME, index_users
from tests.delivery.resumable.long_tasks import LongTasks
from tests.harness.profiles import cache, cached, changed, profile
from tests.variables.case import Case, Idle
from tests.variables.environment import Stage
from tests.variables.observations import asked, calls, outcome, waiting

JOB: Final = "user_cache_updater"
DYNAMIC = {"LERN_USER_CACHE_UPDATER__FRAMEWORK_FIELDS": "dynamic"}


def changing(stage: Stage) -> None:
    """Two users who signed up in different ways, and one of another producer."""
    profile(stage, "u-1", "u-2", "u-3")
    stage.platform.add(frameworks={"NCF": {"categories": [{"code": "board"}]}})
    cache(stage, "u-1", block="North", hobby="chess")
    events = [
        changed("u-1", ("SignupType", "google")),
        changed("u-2", ("SignupType", "sso")),
        changed("u-3", ("UserRole", "student"), pid="portal"),
    ]
    stage.deliver(JOB, *events)


def blocking(stage: Stage) -> None:
    """A user whose account is blocked."""
    stage.platform.add(users={"u-9": {"blocked": True}})
    stage.deliver(JOB, changed("u-9"))


def copying(stage: Stage) -> None:
    """Users without account are copied into the cache."""
    stage.ctx.redis.client("anonymous_users", JOB).hset("user:a-1", mapping={"userid": "a-1"})
    with stage.notes.taken():
        LongTasks(stage, index_users).finish(NAME, anonymous=True)


def sign_ins(stage: Stage) -> list[str | None]:
    """The sign-in types of the first two users."""
    return [cached(stage, user).get("usersignintype") for user in ("u-1", "u-2")]


def kept(stage: Stage) -> set[str]:
    """Which of the fields are kept that the profile does not have."""
    return {"block", "hobby"} & cached(stage, "u-1").keys()


def read(stage: Stage) -> list[str]:
    """The users that were asked for."""
    return [each.path.rpartition("/")[2] for each in stage.requests]


def queries(stage: Stage) -> set[str]:
    """What was asked of them."""
    return {each.query for each in stage.requests}


_case = partial(Case, JOB)
_hash = asked("user:u-1")
_profile, _framework = calls("/u-1"), calls("/NCF")
_at = "GET /userorg/private/user/v1/read/u-1"

CASES = [
    _case("redis-meta.host", "users", _hash, {"users:6379/12"}, changing),
    _case("redis-meta.port", "7000", _hash, {"localhost:7000/12"}, changing),
    _case("redis-meta.database.userstore.id", "11", _hash, {"localhost:6379/11"}, changing),
    _case("redis.user.input.index", "6", asked("SCAN"), {"localhost:6379/6"}, copying),
    _case("regd.user.producer.pid", "portal", read, ["u-3"], changing),
    _case("user.self.signin.types", '["self"]', sign_ins, [None, "Validated"], changing),
    _case("user.validated.types", '["state"]', sign_ins, ["Self-Signed-In", None], changing),
    _case("user.self.signin.key", "Self", sign_ins, ["Self", "Validated"], changing),
    _case("user.valid.key", "Valid", sign_ins, ["Self-Signed-In", "Valid"], changing),
    _case("user.read.url.fields", "roles", queries, {"fields=roles"}, changing),
    _case("user.read.api.error", '["BLOCKED"]', outcome, {"again": 1}, blocking),
    _case("user-read.api.url", "$platform/userorg/private/user/v1/read/", _profile, [_at], changing),
    _case("user.redis.removeable-fields", '["hobby"]', kept, {"block"}, changing),
    _case(
        "service.taxonomy.basePath",
        "$platform/else",
        _framework,
        ["GET /else/framework/v1/read/NCF"],
        changing,
        DYNAMIC,
    ),
    _case(
        "framework_read_api",
        "/framework/v3/read",
        _framework,
        ["GET /taxonomy/framework/v3/read/NCF"],
        changing,
        DYNAMIC,
    ),
]

IDLE = [
    waiting(JOB, changing),
    Idle(JOB, "redis-meta.database.key.expiry.seconds", changing, "the Flink job lets no user expire; nor do we"),
    Idle(JOB, "redis.user.backup.dir", copying, "nothing is deleted that a backup would restore"),
]
