"""Whether what a job's row names is used, as the installation sets it."""

from lern_tasks.catalogue import EventJob
from lern_tasks.catalogue.row import Unless
from lern_tasks.settings import Settings


def used(settings: Settings, job: EventJob, unless: Unless | None) -> bool:
    """False while the setting has the value that switches it off."""
    if unless is None:
        return True
    (name, off) = unless
    group, _, setting = name.rpartition(".")
    return bool(getattr(getattr(settings, group) if group else settings.job(job), setting) != off)
