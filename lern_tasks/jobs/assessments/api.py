"""What others use of assessments: `lern doctor` asks whether its service answers."""

from lern_tasks.jobs.assessments.question_count import QuestionCountClient

__all__ = ["QuestionCountClient"]
