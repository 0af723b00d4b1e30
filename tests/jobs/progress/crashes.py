"""Progress and certificates of two learners, computed and issued by processes that die."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, CONTENT_CONSUMPTION, ENROLMENTS
from tests.harness.course import batch, consumed, enrol, publish
from tests.harness.requests import generate
from tests.harness.scenario import finished
from tests.harness.syncs import REQUIRED, store, sync
from tests.jobs.crash_scenario import CrashScenario

KEYS = [EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1") for user in ("u1", "u2")]
LESSONS = [finished(KEYS[0], ["r1", "r2"]), finished(KEYS[1], ["r1"]), finished(KEYS[0], ["r3"])]


class _OfTwoLearners(CrashScenario):
    names: tuple[str, ...] = ()
    """Of the certificates that the batch has templates for."""

    def prepare(self) -> None:
        publish(self.chain)
        for key in KEYS:
            enrol(self.chain, key)
            batch(self.chain, *self.names, key=key)
        consumed(self.chain, "r1", KEYS[1], status=1, viewcount=3, completedcount=0)

    def state(self) -> dict[str, Any]:
        asked = self.chain.sent_events("collection_cert_pre_processor")
        return {
            "rows": {key.user_id: self._rows(key) for key in KEYS},
            "markers": sorted(self.chain.ctx.redis.client("dedup").keys("*")),
            "audits": self._audits(),
            "asked": {user for event in asked for user in event["edata"]["userIds"]},
            "dead": self.chain.published.to("failed"),
        }

    def _rows(self, key: EnrolmentKey) -> dict[str, Any]:
        row = self.chain.row(ENROLMENTS, (key.user_id, key.course_id, key.batch_id))
        figures = [self.chain.row(ACTIVITY_AGG, ("Course", name, key.user_id, "cb:b1")) for name in ("do_c1", "un1")]
        return {
            "enrolment": {
                name: value
                for name, value in row.items()
                if name not in ("datetime", "completedon", "issued_certificates")
            },
            "completed": "completedon" in row,
            "certificates": sorted(element["name"] for element in row.get("issued_certificates", [])),
            "contents": self.chain.rows(CONTENT_CONSUMPTION, (key.user_id,)),
            "figures": [row.get("aggregates") for row in figures],
        }

    def _audits(self) -> list[str]:
        """Each by what a consumer drops doubles by; certificates, whose ids are random, by their name."""
        labels = {stored.osid: stored.document["certificateLabel"] for stored in self.chain.registry.entities()}
        found = {
            f"{event['edata']['type']} {labels[event['object']['id']]}"
            if event["object"]["type"] == "Certificate"
            else event["mid"]
            for event in self.chain.events("telemetry.raw")
        }
        return sorted(found)

    def check_certificates(self, *names: str) -> None:
        """The first learner has these, each once: active, in the row, and told about at most once."""
        made = {stored.osid: stored.document for stored in self.chain.registry.entities()}
        active = Counter((each["recipient"]["id"], each["certificateLabel"].lower()) for each in made.values())
        assert active == {("u1", name.lower()): 1 for name in names}
        elements = self.chain.row(ENROLMENTS, ("u1", "do_c1", "b1"))["issued_certificates"]
        assert {element["identifier"] for element in elements} == set(made)
        requests = self.chain.platform.requests_to("POST", "/feed/v1/create")
        told = Counter(request.body["request"]["userId"] for request in requests)
        assert told <= Counter({"u1": len(names)})


class Aggregation(_OfTwoLearners):
    """Two learners in one message: one completes the course, the other a lesson that was begun."""

    effects = 38
    backwards = range(1, effects + 1)
    # Around the enrolment row and the request for the certificate.
    written_again = (
        {"LERN_ACTIVITY_AGGREGATE_UPDATER__ACTIVITY_FILTER_PROCESSED_ENROLMENTS": "false"},
        (17, 25, 26, 27, 35, 36, 37),
    )

    def send(self) -> None:
        self.chain.send("activity_aggregate_updater", *map(self.chain.record, LESSONS))

    def check(self, effects: Sequence[str]) -> None:
        assert len(effects) > self.effects - 2


class WholeChain(_OfTwoLearners):
    """Each lesson in a message of its own, and all that follows, until the learner has the certificate."""

    names = ("Merit",)

    def send(self) -> None:
        for event in LESSONS:
            self.chain.send("activity_aggregate_updater", self.chain.record(event))

    def check(self, effects: Sequence[str]) -> None:
        del effects
        found = self.state()
        first, second = found["rows"]["u1"], found["rows"]["u2"]
        assert first["enrolment"]["status"] == 2
        assert first["certificates"] == ["Merit"]
        assert [row["viewcount"] for row in first["contents"]] == [1, 1, 1]
        assert [row["viewcount"] for row in second["contents"]] == [4]
        assert len(found["audits"]) == 3 * 2 + 1 + 1 + 1
        assert not found["dead"]
        self.check_certificates("Merit")


class Reconciliation(_OfTwoLearners):
    """Two learners in one message: one has done all that is required and is asked for twice, the other a lesson."""

    effects = 24
    backwards = range(3, 19)
    # Around the enrolment row and what follows it.
    written_again = (
        {"LERN_ENROLMENT_RECONCILIATION__ACTIVITY_FILTER_PROCESSED_ENROLMENTS": "false"},
        range(17, effects + 1),
    )

    def prepare(self) -> None:
        super().prepare()
        store(self.chain, REQUIRED, KEYS[0])
        store(self.chain, {"r3": 2}, KEYS[1])

    def send(self) -> None:
        keys = (KEYS[0], KEYS[1], KEYS[0])
        self.chain.send("enrolment_reconciliation", *(self.chain.record(sync(key)) for key in keys))

    def check(self, effects: Sequence[str]) -> None:
        assert len(effects) > self.effects - 2
        found = self.state()
        assert found["rows"]["u1"]["enrolment"]["status"] == 2
        assert found["rows"]["u2"]["enrolment"]["progress"] == 1
        assert found["asked"] == {"u1"}
        assert len(found["audits"]) == 1
        assert not found["markers"]


class Issuing(_OfTwoLearners):
    """Two certificates of one learner in one message, one of them for the second time."""

    effects = 35

    def prepare(self) -> None:
        super().prepare()
        for key in KEYS:
            enrol(self.chain, key, status=2)

    def send(self) -> None:
        events = [generate("Merit"), generate("Participation"), generate("merit")]
        self.chain.send("collection_certificate_generator", *map(self.chain.record, events))

    def check(self, effects: Sequence[str]) -> None:
        del effects
        self.check_certificates("Merit", "Participation")
