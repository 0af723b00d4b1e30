"""What a certificate is called in an enrolment. See docs/jobs/collection_cert_pre_processor.md, "Rules"."""


def name_key(name: str) -> str:
    """By which certificates of an enrolment are told apart: two titles that differ in case are one certificate."""
    return name.lower()
