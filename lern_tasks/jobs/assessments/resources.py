"""What the assessments talk to."""

from functools import cached_property

from lern_tasks.jobs.assessments.attempts import Attempts
from lern_tasks.jobs.assessments.question_count import QuestionCountClient
from lern_tasks.jobs.assessments.scores import Scores
from lern_tasks.jobs.relations.api import RelationResources
from lern_tasks.sunbird.content_metadata import Metadata
from lern_tasks.sunbird.table_names import JobTables, for_job


class AssessmentResources(RelationResources):
    """What the assessments talk to."""

    @property
    def attempts(self) -> Attempts:
        """The attempts of enrolments."""
        return Attempts(self.gateway, self._assessment_tables.assessments)

    @property
    def scores(self) -> Scores:
        """The scores of enrolments."""
        return Scores(self.gateway, self._assessment_tables.activity_agg)

    @cached_property
    def _assessment_tables(self) -> JobTables:
        return for_job(self.settings, "assessment_aggregator")

    @cached_property
    def assessed_metadata(self) -> Metadata:
        """Metadata of contents, as the assessment aggregator's settings place them."""
        return Metadata(self.redis.client("metadata", "assessment_aggregator"), self.redis.client("collection"))

    @cached_property
    def question_counts(self) -> QuestionCountClient:
        """The content service, asked for the number of questions."""
        return self.opened("question_count", QuestionCountClient.from_settings(self.settings))
