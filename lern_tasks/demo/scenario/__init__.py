"""The course, its learners and what they do."""
