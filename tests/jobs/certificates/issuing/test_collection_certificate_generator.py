"""One certificate a name, whatever comes: the sequences that the generator must bear."""

from typing import Any, Final

import pytest

from lern_tasks.errors import UnknownOutcome
from lern_tasks.jobs.certificates.clients.registry import RegistryClient
from lern_tasks.jobs.certificates.issuing.issue_intents import Intent
from lern_tasks.jobs.certificates.rules.issue import intent_key
from lern_tasks.sunbird.tables import CERT_REGISTRY, ENROLMENTS
from tests.harness import golden
from tests.harness.course import KEY, ROW, batch, enrol
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.requests import generate
from tests.jobs.certificates.rules.certificates import issued

JOB: Final = "collection_certificate_generator"
FAILED = "generate.certificate.failed"
PATH = "/TrainingCertificate"


@pytest.fixture(autouse=True)
def completed(chain: Chain) -> None:
    batch(chain, "Course Merit")
    enrol(chain, status=2)


def certificates(chain: Chain) -> list[dict[str, str]]:
    found: list[dict[str, str]] = chain.row(ENROLMENTS, ROW).get("issued_certificates", [])
    return found


def active(chain: Chain) -> list[str]:
    return [stored.osid for stored in chain.registry.entities()]


def creates(chain: Chain) -> int:
    return len(chain.registry.requests_to("POST", PATH))


def test_a_certificate_is_in_registry_and_row(chain: Chain) -> None:
    enrol(chain, issued_certificates=issued(("Participation", "p1"), ("course merit", "m1")))
    chain.run(JOB, chain.record(generate("Course Merit", old_id="m1")))
    (osid,) = active(chain)
    assert certificates(chain) == [
        {"name": "Participation", "identifier": "p1", "token": ""},
        {
            "name": "Course Merit",
            "identifier": osid,
            "token": "",
            "lastIssuedOn": "2023-11-14T22:13:20.000+0000",
            "templateUrl": "https://cdn.example/merit.svg",
            "type": "TrainingCertificate",
        },
    ]


def test_what_the_registry_is_asked_and_what_follows_is_as_documented(chain: Chain) -> None:
    assert chain.run(JOB, chain.record(generate()))["done"] == 1
    (request,) = chain.registry.requests_to("POST", PATH)
    assert request.body == {
        "certificateLabel": "Course Merit",
        "status": "ACTIVE",
        "templateUrl": "https://cdn.example/merit.svg",
        "training": {"id": "do_c1", "name": "Fractions 101", "type": "Course", "batchId": "b1"},
        "recipient": {"id": "u1", "name": "Asha Rao"},
        "issuer": {
            "url": "https://council.example/",
            "name": "State Council",
            "kid": chain.registry.entities("PublicKey")[0].osid,
        },
        "signatory": [{"name": "R. Iyer", "id": "CEO", "designation": "CEO", "image": "https://cdn.example/sign.png"}],
    }
    (osid,) = active(chain)
    assert chain.events("telemetry.raw") == [golden.certificate_issued(osid)]
    assert [sent.job for sent in chain.sender.sent] == ["certificate_notification", "certificate_user_feed"]


def test_without_enrolment_nothing_is_issued(make_chain: MakeChain) -> None:
    chain = make_chain()
    assert chain.run(JOB, chain.record(generate()))["skipped"] == 1
    assert chain.run(JOB, chain.record(generate(old_id="c1")))["skipped"] == 1
    assert creates(chain) == 0


@pytest.mark.parametrize("packed", [False, True])
def test_the_same_event_twice_is_one_certificate(chain: Chain, packed: bool) -> None:
    records = [chain.record(generate()), chain.record(generate("COURSE MERIT"))]
    for group in [records] if packed else [[record] for record in records]:
        chain.send(JOB, *group)
    chain.drain()
    assert [element["identifier"] for element in certificates(chain)] == active(chain)
    assert (creates(chain), len(active(chain))) == (1, 1)
    assert len(chain.events("telemetry.raw")) == 1


def test_two_names_are_two_certificates(chain: Chain) -> None:
    chain.run(JOB, chain.record(generate("Merit")), chain.record(generate("Participation")))
    assert [element["name"] for element in certificates(chain)] == ["Merit", "Participation"]
    assert len(active(chain)) == 2


def reissue(chain: Chain, times: int) -> str:
    """Issue one, then replace it by the same event `times` times; the id of the first."""
    chain.run(JOB, chain.record(generate()))
    (old,) = active(chain)
    for _ in range(times):
        chain.send(JOB, chain.record(generate(old_id=old)))
    chain.drain()
    return old


@pytest.mark.parametrize("times", [1, 2])
def test_a_reissue_replaces_once(chain: Chain, times: int) -> None:
    old = reissue(chain, times)
    (new,) = active(chain)
    assert new != old
    assert [element["identifier"] for element in certificates(chain)] == [new]
    assert creates(chain) == 2
    deletes = chain.registry.requests_to("DELETE", old)
    assert len(deletes) == 1
    assert deletes[0].at > chain.registry.requests_to("POST", PATH)[1].at


@pytest.mark.parametrize("answer", ["404", "500"])
def test_what_the_registry_cannot_delete_is_deleted_from_the_old_one(chain: Chain, answer: str) -> None:
    chain.registry.switches.delete = answer
    enrol(chain, issued_certificates=issued(("Course Merit", "old-1")))
    chain.put(CERT_REGISTRY, ("old-1",), isrevoked=False)
    chain.put(CERT_REGISTRY, ("other",), isrevoked=False)
    chain.send(JOB, chain.record(generate(old_id="old-1")))
    chain.drain()
    assert [element["identifier"] for element in certificates(chain)] == active(chain)
    assert chain.row(CERT_REGISTRY, ("old-1",)) == {}
    assert chain.row(CERT_REGISTRY, ("other",)) != {}
    assert not chain.published.to("failed")


def test_a_registry_that_is_busy_when_asked_to_delete_is_asked_again(chain: Chain) -> None:
    chain.registry.switches.update({"delete": "503", "delete_times": 2})
    old = reissue(chain, 1)
    assert len(active(chain)) == 1
    assert len(chain.registry.requests_to("DELETE", old)) == 3


def test_a_create_that_fails_for_good_leaves_the_old_one(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_TASKS__MAX_OUTAGE="300")
    batch(chain, "Course Merit")
    enrol(chain, status=2)
    chain.run(JOB, chain.record(generate()))
    (old,) = active(chain)
    before = certificates(chain)
    chain.registry.switches.create = "500"
    event = generate(old_id=old)
    chain.send(JOB, chain.record(event))
    chain.drain()
    assert certificates(chain) == before
    assert active(chain) == [old]
    (letter,) = chain.published.to(FAILED)
    assert letter.value == chain.record(event).raw()
    assert dict(letter.headers)["lern-code"] == b"DEPENDENCY_DOWN"
    assert dict(letter.headers)["lern-attempts"] == b"1"


@pytest.mark.parametrize("mode", ["timeout_after_commit", "drop_after_commit", "500_after_commit", "no_osid"])
def test_a_create_whose_answer_is_lost_is_found_again(make_chain: MakeChain, mode: str) -> None:
    chain = make_chain(LERN_HTTP__READ_TIMEOUT="0.3")
    batch(chain, "Course Merit")
    enrol(chain, status=2)
    chain.registry.switches.update({"create": mode, "create_times": 1})
    chain.send(JOB, chain.record(generate()))
    chain.drain()
    assert [element["identifier"] for element in certificates(chain)] == active(chain)
    assert (creates(chain), len(active(chain))) == (1, 1)
    assert not chain.published.to("failed")


def test_nothing_is_created_again_before_the_index_shows_what_was(chain: Chain) -> None:
    intent = intent_key(KEY, "Course Merit", "")
    chain.ctx.intents.write(intent, Intent(since_ms=chain.time_ms - 10_000))
    assert chain.run(JOB, chain.record(generate()))["again"] == 1
    (sent,) = chain.sender.sent
    assert (sent.countdown, sent.records[0].attempt) == (20.0, 0)
    assert creates(chain) == 0
    chain.drain()
    assert creates(chain) == 1


def test_the_index_is_waited_for_from_the_end_of_a_create_without_an_answer(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry may have committed it in the last moment before we stopped waiting."""

    def slow(*_: object) -> str:
        chain.ctx.time_ms += 20_000
        raise UnknownOutcome("no answer in time", "registry")

    monkeypatch.setattr(RegistryClient, "create", slow)
    began = chain.time_ms
    assert chain.run(JOB, chain.record(generate()))["again"] == 1
    kept = chain.ctx.intents.read(intent_key(KEY, "Course Merit", ""))
    assert kept == Intent(since_ms=began + 20_000)


def test_a_duplicate_is_revoked(chain: Chain) -> None:
    """Created before a long outage, while the row got its certificate from elsewhere."""
    chain.run(JOB, chain.record(generate("Other")))
    (duplicate,) = active(chain)
    enrol(chain, issued_certificates=issued(("Course Merit", "m1")))
    chain.ctx.intents.write(intent_key(KEY, "Course Merit", ""), Intent(since_ms=chain.time_ms, osid=duplicate))
    chain.send(JOB, chain.record(generate()))
    chain.drain()
    assert active(chain) == []
    assert [element["identifier"] for element in certificates(chain)] == ["m1"]


@pytest.mark.parametrize(
    ("edata", "field"),
    [
        ({"issuer": {"name": "X"}}, "edata.issuer.url"),
        ({"signatoryList": []}, "edata.signatoryList"),
        ({"signatoryList": [{"name": "", "id": "CEO", "designation": "CEO", "image": "i"}]}, "signatoryList[0].name"),
        ({"tag": "batch-1"}, "edata.tag"),
        ({"data": [{"recipientName": " ", "recipientId": "u1"}]}, "recipientName"),
    ],
)
def test_what_cannot_be_issued_is_refused_with_the_fields_name(
    make_chain: MakeChain, edata: dict[str, Any], field: str
) -> None:
    chain = make_chain(LERN_COLLECTION_CERTIFICATE_GENERATOR__ENABLE_SUPPRESS_EXCEPTION="false")
    enrol(chain, status=2)
    assert chain.run(JOB, chain.record(generate(**edata)))["dead"] == 1
    (letter,) = chain.published.to(FAILED)
    assert field in dict(letter.headers)["lern-error"].decode()
    assert "tpl_0" in dict(letter.headers)["lern-error"].decode()
    assert creates(chain) == 0


def test_an_incomplete_signatory_passes_when_it_is_suppressed(chain: Chain) -> None:
    assert chain.run(JOB, chain.record(generate(signatoryList=[])))["done"] == 1


def test_a_template_of_a_foreign_host_is_refused(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_HTTP__ALLOWED_HOSTS='["cdn.ours.example"]')
    enrol(chain, status=2)
    assert chain.run(JOB, chain.record(generate()))["dead"] == 1
    assert creates(chain) == 0


def test_a_registry_without_a_public_key_is_a_dead_letter_that_says_so(chain: Chain) -> None:
    chain.registry.switches.key_search = "empty"
    assert chain.run(JOB, chain.record(generate()))["dead"] == 1
    assert b"public key" in dict(chain.published.to(FAILED)[0].headers)["lern-error"]
