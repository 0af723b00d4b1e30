"""docs/configuration.md says what the settings say."""

from pathlib import Path

from lern_tasks.cli.configuration_page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def test_the_page_is_made_from_the_settings() -> None:
    assert PAGE.read_text() == page(), "run: python -m lern_tasks.cli.configuration_page > docs/configuration.md"


def test_the_documented_keys_are_on_it() -> None:
    text = PAGE.read_text()
    assert "`kafka.audit.topic`, `kafka.output.audit.topic`" in text
    assert "LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_RCAPIKEY" in text
