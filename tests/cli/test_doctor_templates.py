"""Doctor names the hosts of templates that are refused, and those inside the network."""

from pathlib import Path

import pytest

from lern_tasks.cli.doctor import templates
from lern_tasks.cli.doctor.finding import Finding
from lern_tasks.settings import load
from lern_tasks.storage import open_gateway
from lern_tasks.storage.gateway import ReplaceCollection
from lern_tasks.sunbird.tables import COURSE_BATCH


def findings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *urls: str, **env: str) -> list[Finding]:
    for name, value in {"LERN_STORE": f"sqlite:{tmp_path / 'store.sqlite'}", **env}.items():
        monkeypatch.setenv(name, value)
    settings = load()
    gateway = open_gateway(settings)
    gateway.create([COURSE_BATCH])
    stored = {f"tpl_{number}": {"url": url} for number, url in enumerate(urls)}
    change = ReplaceCollection(table=COURSE_BATCH, key=("do_1", "b1"), column="cert_templates", value=stored)
    assert gateway.apply([change]) == [None]
    gateway.close()
    (check,) = templates.checks(("collection_certificate_generator",))
    return list(check.look(settings))


@pytest.mark.parametrize(
    ("url", "level", "words"),
    [
        ("http://169.254.169.254/latest/a.svg", "problem", "own machine or link"),
        ("http://127.0.0.1:9/a.svg", "problem", "own machine or link"),
        ("http://10.1.2.3/a.svg", "warning", "private network (course do_1, batch b1)"),
        ("https://8.8.8.8/a.svg", "ok", "1 hosts"),
        ("CLOUD_BASE_PATH/a.svg", "ok", "0 hosts"),
    ],
)
def test_hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, level: str, words: str) -> None:
    (finding,) = findings(monkeypatch, tmp_path, url)
    assert finding.level == level
    assert words in finding.result
    assert level == "ok" or finding.to_do


def test_private_hosts_may_be_refused_or_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = "http://10.1.2.3/a.svg"
    (refused,) = findings(monkeypatch, tmp_path, url, LERN_HTTP__PRIVATE_HOSTS="false")
    assert refused.level == "problem"
    (named,) = findings(monkeypatch, tmp_path, url, LERN_HTTP__ALLOWED_HOSTS='["10.1.2.3"]')
    assert named.level == "ok"


def test_only_for_the_job_that_reads_them() -> None:
    assert templates.checks(("user_cache_updater",)) == []
