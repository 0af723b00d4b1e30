"""What the assessments talk to."""

from functools import cached_property

from lern_tasks.jobs.assessments.question_count import QuestionCountClient
from lern_tasks.jobs.relations.api import RelationResources
from lern_tasks.sunbird.content_metadata import Metadata


class AssessmentResources(RelationResources):
    """What the assessments talk to."""

    @cached_property
    def assessed_metadata(self) -> Metadata:
        """Metadata of contents, as the assessment aggregator's settings place them."""
        return Metadata(self.redis.client("metadata", "assessment_aggregator"), self.redis.client("collection"))

    @cached_property
    def question_counts(self) -> QuestionCountClient:
        """The content service, asked for the number of questions."""
        return self.opened("question_count", QuestionCountClient.from_settings(self.settings))
