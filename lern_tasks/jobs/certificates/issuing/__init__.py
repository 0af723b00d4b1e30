"""The certificate itself, in a registry or as a document, and in the enrolment row."""
