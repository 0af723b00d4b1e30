"""What learners completed: contents counted, aggregates, the enrolment row."""
