"""What commands use of users: `lern index-users` runs the bulk index in its own process."""

from lern_tasks.jobs.users.index.pages import IndexPages
from lern_tasks.jobs.users.index.plan import YESTERDAY, IndexPlan, IndexTally, plan_of, tally_of
from lern_tasks.jobs.users.resources import UserResources

__all__ = ["YESTERDAY", "IndexPages", "IndexPlan", "IndexTally", "UserResources", "plan_of", "tally_of"]
