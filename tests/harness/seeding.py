"""The rows that the platform has stored before the first event."""

from datetime import UTC, datetime

from lern_tasks.settings import Settings
from lern_tasks.storage.gateway import Mutation, PutCells, ReplaceCollection
from lern_tasks.sunbird.table_names import JobTables, for_job
from tests.harness.scenario import Course, Learner


def course_rows(settings: Settings, course: Course, *, base: str) -> list[Mutation]:
    """A course's tree, and its batch with the templates, which lie at `base`."""
    hierarchy = for_job(settings, "relation_cache_updater").content_hierarchy
    batches = for_job(settings, "collection_cert_pre_processor").course_batch
    return [
        PutCells(table=hierarchy, key=(course.course_id,), cells={"hierarchy": course.hierarchy()}),
        ReplaceCollection(
            table=batches,
            key=(course.course_id, course.batch_id),
            column="cert_templates",
            value=course.template_rows(base),
        ),
    ]


def learner_rows(tables: JobTables, learner: Learner) -> list[Mutation]:
    """The enrolments of a learner, of the old account too, and the contents that the learner service has stored."""
    cells = {"active": True, "status": 0, "enrolled_date": datetime(2024, 1, 1, tzinfo=UTC)}
    course, batch = learner.key.course_id, learner.key.batch_id
    users = [learner.key.user_id] if learner.enrolled else []
    users += [learner.merged_from] if learner.merged_from else []
    rows: list[Mutation] = [PutCells(table=tables.enrolments, key=(user, course, batch), cells=cells) for user in users]
    statuses = dict.fromkeys(learner.visited, 1) | dict.fromkeys(learner.stored, 2)
    contents = tables.content_consumption
    rows += [
        PutCells(table=contents, key=(learner.key.user_id, course, batch, content), cells={"status": status})
        for content, status in statuses.items()
    ]
    counted = {"status": 2, "viewcount": 1, "completedcount": 1}
    rows += [
        PutCells(table=contents, key=(learner.merged_from, course, batch, content), cells=counted)
        for content in learner.inherited
    ]
    return rows
