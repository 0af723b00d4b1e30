import httpx
import pytest

from lern_tasks.cloud_storage import CloudStorage
from lern_tasks.errors import DependencyDown, LernError, RefusedByService, TransientError, UnknownOutcome
from lern_tasks.jobs.certificates.follow_up.notification_service import (
    CertificateNotification,
    NotificationClient,
    sms_text,
)
from tests.harness.answers import HTTP, Answers, ok

BASE = "http://platform.example/svc"

STORAGE = CloudStorage(placeholder="CLOUD_BASE_PATH", base="https://cdn.example/box")

NOTICE = CertificateNotification(
    user_id="u-42",
    first_name='Asha "A" Rao',
    training_name='Say "hi"',
    held_date="2024-03-01",
    template={
        "subject": "Done",
        "mode": "email",
        "stateImgUrl": "CLOUD_BASE_PATH/a.png",
        "stateImageUrl": "CLOUD_BASE_PATH/b.png",
        "count": 3,
    },
)


def notifications(answers: Answers) -> NotificationClient:
    return NotificationClient(BASE, http=HTTP, storage=STORAGE, transport=answers)


def test_mail() -> None:
    answers = ok({})
    notifications(answers).email(NOTICE)
    assert answers.sent == ("POST", f"{BASE}/v2/notification")
    assert answers.body == {
        "request": {
            "subject": "Done",
            "mode": "email",
            "stateImgUrl": "https://cdn.example/box/a.png",
            "stateImageUrl": "https://cdn.example/box/b.png",
            "count": 3,
            "firstName": 'Asha "A" Rao',
            "TrainingName": 'Say "hi"',
            "heldDate": "2024-03-01",
            "recipientUserIds": ["u-42"],
            "body": "email body",
        }
    }
    assert NOTICE.template["stateImgUrl"] == "CLOUD_BASE_PATH/a.png"


def test_text_message_says_that_it_is_one() -> None:
    answers = ok({})
    notifications(answers).sms(NOTICE, sms_text("Sunbird"))
    request = answers.body["request"]
    assert request["mode"] == "sms"
    assert "Sunbird" in request["body"]
    assert set(answers.body) == {"request"}


def test_feed_is_proper_json() -> None:
    answers = ok({})
    notifications(answers).feed("u-42", course_id="do_9001", course_name='Say "hi"\n')
    assert answers.sent == ("POST", f"{BASE}/private/user/feed/v1/create")
    assert answers.body == {
        "request": {
            "userId": "u-42",
            "category": "Notification",
            "priority": 1,
            "data": {
                "type": 1,
                "actionData": {
                    "actionType": "certificateUpdate",
                    "title": 'Say "hi"\n',
                    "description": "You have earned a certificate! Download it from your profile page.",
                    "identifier": "do_9001",
                },
            },
        }
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.ConnectError("refused"), DependencyDown),
        (httpx.ReadTimeout("slow"), UnknownOutcome),
        (httpx.Response(500), UnknownOutcome),
        (httpx.Response(429), TransientError),
        (httpx.Response(400), RefusedByService),
    ],
)
def test_whether_somebody_got_the_message(answer: httpx.Response | Exception, expected: type[LernError]) -> None:
    with pytest.raises(LernError) as raised:
        notifications(Answers(answer)).email(NOTICE)
    assert type(raised.value) is expected


def test_an_answer_without_json_is_a_success() -> None:
    notifications(Answers(httpx.Response(200, text="sent"))).email(NOTICE)


def test_a_printed_notice_shows_no_name() -> None:
    assert "Asha" not in repr(NOTICE)
