"""What others use of assessments: `lern doctor` asks its service by the job's own client."""

from lern_tasks.jobs.assessments.resources import AssessmentResources

__all__ = ["AssessmentResources"]
