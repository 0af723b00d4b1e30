"""Mail, text message and feed: each at most once a certificate, and never in the way of the certificate."""

from collections import Counter
from typing import Any

import pytest

from lern_tasks.catalogue import JobName
from lern_tasks.jobs.certificates.follow_up.events import FollowUpEvent
from tests.harness.course import batch, enrol
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.requests import generate

TEMPLATE = {"subject": "Certificate", "stateImgUrl": "CLOUD_BASE_PATH/state.png", "template": "mail"}


def notified(chain: Chain) -> Counter[str]:
    """Requests by kind."""
    mails = [request.body["request"] for request in chain.platform.requests_to("POST", "/v2/notification")]
    return Counter(
        ["sms" if body.get("mode") == "sms" else "mail" for body in mails]
        + ["feed" for _ in chain.platform.requests_to("POST", "/feed/v1/create")]
    )


def follow_up(chain: Chain, **fields: str) -> Any:
    event = FollowUpEvent(
        user_id="u1",
        course_id="do_c1",
        batch_id="b1",
        certificate_id="1-9",
        template_id="tpl_0",
        course_name='Say "hi"',
        completed_on="2024-02-29",
    )
    return chain.record(event.to_event() | fields)


@pytest.fixture(autouse=True)
def told_by_mail(chain: Chain) -> None:
    batch(chain, "Course Merit", notifyTemplate=TEMPLATE)
    enrol(chain, status=2)


def test_what_the_learner_is_told(make_chain: MakeChain) -> None:
    chain = make_chain(
        LERN_COLLECTION_CERTIFICATE_GENERATOR__CLOUD_STORAGE_BASE_URL="https://cloud.example",
        LERN_COLLECTION_CERTIFICATE_GENERATOR__CONTENT_CLOUD_STORAGE_CONTAINER="content",
    )
    batch(chain, "Course Merit", notifyTemplate=TEMPLATE)
    assert chain.run("certificate_notification", follow_up(chain))["done"] == 1
    mail, sms = (request.body["request"] for request in chain.platform.requests_to("POST", "/v2/notification"))
    assert mail == {
        "subject": "Certificate",
        "stateImgUrl": "https://cloud.example/content/state.png",
        "template": "mail",
        "firstName": "Asha",
        "TrainingName": 'Say "hi"',
        "heldDate": "2024-02-29",
        "recipientUserIds": ["u1"],
        "body": "email body",
    }
    assert sms["mode"] == "sms"
    assert chain.run("certificate_user_feed", follow_up(chain))["done"] == 1
    (feed,) = chain.platform.requests_to("POST", "/feed/v1/create")
    assert feed.body["request"]["data"]["actionData"]["title"] == 'Say "hi"'


@pytest.mark.parametrize("packed", [False, True])
def test_each_is_told_once(chain: Chain, packed: bool) -> None:
    jobs: tuple[JobName, ...] = ("certificate_notification", "certificate_user_feed")
    for job in jobs:
        records = [follow_up(chain), follow_up(chain)]
        for group in [records] if packed else [[record] for record in records]:
            chain.run(job, *group)
    assert notified(chain) == {"mail": 1, "sms": 1, "feed": 1}


@pytest.mark.parametrize("mode", ["timeout", "drop", "500"])
def test_what_may_have_come_through_is_not_sent_again(make_chain: MakeChain, mode: str) -> None:
    chain = make_chain(LERN_HTTP__READ_TIMEOUT="0.3")
    chain.platform.switches.update({"feed": mode, "feed_times": 1})
    chain.send("certificate_user_feed", follow_up(chain))
    chain.drain()
    assert notified(chain) == {"feed": 1}
    assert not chain.published.messages


def test_what_certainly_did_not_is_sent_again(chain: Chain) -> None:
    chain.platform.switches.update({"feed": "429", "feed_times": 2})
    chain.send("certificate_user_feed", follow_up(chain))
    chain.drain()
    assert notified(chain) == {"feed": 3}
    assert not chain.published.messages


@pytest.mark.parametrize("code", ["UOS_USRRED0006", "USER_ACCOUNT_BLOCKED"])
def test_a_blocked_account_is_told_nothing(chain: Chain, code: str) -> None:
    chain.platform.switches.blocked_error = code
    chain.platform.add(users={"u1": {"blocked": True}})
    assert chain.run("certificate_notification", follow_up(chain))["skipped"] == 1
    assert notified(chain) == {}


def test_a_template_that_says_nothing_tells_nothing(chain: Chain) -> None:
    assert chain.run("certificate_notification", follow_up(chain, template_id="tpl_9"))["skipped"] == 1
    batch(chain, "Course Merit")
    assert chain.run("certificate_notification", follow_up(chain))["skipped"] == 1
    assert notified(chain) == {}


def test_a_notifier_that_is_down_takes_no_certificate_away(make_chain: MakeChain) -> None:
    chain = make_chain()
    batch(chain, "Course Merit", notifyTemplate=TEMPLATE)
    enrol(chain, status=2)
    chain.platform.switches.update({"notification": "400", "feed": "400"})
    chain.send("collection_certificate_generator", chain.record(generate()))
    chain.drain()
    assert len(chain.registry.entities()) == 1
    assert {dict(letter.headers)["lern-job"] for letter in chain.published.to("failed")} == {
        b"certificate_notification",
        b"certificate_user_feed",
    }
    assert len(chain.registry.requests_to("POST", "/TrainingCertificate")) == 1
