"""Pure: what an event counts, and what an enrolment becomes."""
