"""Mails, text messages and feed entries. See docs/jobs/collection_certificate_generator.md, "Rules"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from lern_tasks.cloud_storage import CloudStorage
from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings

# The documented key and the one that the course service really stores.
_IMAGES = ("stateImageUrl", "stateImgUrl")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateNotification:
    """Who is notified of which certificate. `template` is the batch's `notifyTemplate`; `held_date` is `yyyy-MM-dd`."""

    user_id: str
    first_name: str = field(repr=False)
    training_name: str
    held_date: str
    template: Mapping[str, Any]


class NotificationClient:
    """The notification and feed services of the platform.

    The template's image URLs lead to `storage`. Every method raises DependencyDown or TransientError when certainly
    nothing was sent, UnknownOutcome when the person may have got the message, RefusedByService when the service refuses
    the request.
    """

    def __init__(
        self,
        base: str,
        *,
        http: HttpSettings,
        storage: CloudStorage,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = Http("notifications", base, http, transport=transport)
        self._storage = storage

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the generator's settings describe."""
        job = settings.collection_certificate_generator
        return cls(job.service_learner_basepath, http=settings.http, storage=job.cloud_storage)

    def email(self, notification: CertificateNotification) -> None:
        """Send the mail that the batch's template describes."""
        self._notify(notification, {"body": "email body"})

    def sms(self, notification: CertificateNotification, text: str) -> None:
        """Send `text` as a text message, to the phone number that the platform keeps for the user."""
        self._notify(notification, {"mode": "sms", "body": text})

    @operation("notifications", "feed")
    def feed(self, user_id: str, *, course_id: str, course_name: str) -> None:
        """Add "you have earned a certificate" to the user's feed."""
        action = {
            "actionType": "certificateUpdate",
            "title": course_name,
            "description": "You have earned a certificate! Download it from your profile page.",
            "identifier": course_id,
        }
        data = {"type": 1, "actionData": action}
        request = {"userId": user_id, "category": "Notification", "priority": 1, "data": data}
        self._post("/private/user/feed/v1/create", request)

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @operation("notifications", "notify")
    def _notify(self, notification: CertificateNotification, message: Mapping[str, str]) -> None:
        template = dict(notification.template)
        for name in _IMAGES:
            if isinstance(template.get(name), str):
                template[name] = self._storage.opened(template[name])
        request = {
            **template,
            "firstName": notification.first_name,
            "TrainingName": notification.training_name,
            "heldDate": notification.held_date,
            "recipientUserIds": [notification.user_id],
            **message,
        }
        self._post("/v2/notification", request)

    def _post(self, path: str, request: Mapping[str, Any]) -> None:
        response = self._http.send("POST", path, body={"request": dict(request)}, write=True)
        self._http.check(response, write=True)


def sms_text(instance_name: str) -> str:
    """The text message about a certificate; `instance_name` is the app's name (`sunbird_instance_name`)."""
    return (
        "Congratulations! Your course certificate is ready: download it from your profile page. "
        f"If that does not work on your phone, update your {instance_name} app."
    )
