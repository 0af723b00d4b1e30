"""Certificates issued without the registry by processes that die: one certificate, document and element a name."""

from collections.abc import Sequence
from typing import Any

from tests.harness.without_registry import JOB, Documents
from tests.jobs.crash_scenario import CrashScenario


class _WithoutRegistry(CrashScenario):
    left_out = True
    without_registry = True

    def __init__(self, certs: Documents) -> None:
        super().__init__(certs.chain)
        self.certs = certs

    def state(self) -> dict[str, Any]:
        """The template's address, which is the test's own, is in none of it."""
        elements = sorted((entry["name"], entry["identifier"], entry["token"]) for entry in self.certs.elements)
        return {
            "elements": elements,
            "rows": {identifier: row["accesscode"] for identifier, row in self.certs.old.rows.items()},
            "documents": self.certs.files,
            "audits": sorted({event["mid"] for event in self.chain.events("telemetry.raw")}),
            "dead": self.chain.published.to("failed"),
        }

    def check(self, effects: Sequence[str]) -> None:
        """Row, registry and documents name the same certificates."""
        del effects
        codes = {element["identifier"]: element["token"] for element in self.certs.elements}
        names = [element["name"].lower() for element in self.certs.elements]
        assert {identifier: row["accesscode"] for identifier, row in self.certs.old.rows.items()} == codes
        assert len(names) == len(set(names))
        assert {f"b1/{each}.json" for each in codes} <= set(self.certs.files)


class Documenting(_WithoutRegistry):
    """Two certificates in one message, one of them for the second time."""

    effects = 19

    def prepare(self) -> None:
        """Nothing: the enrolment is stored."""

    def send(self) -> None:
        events = [self.certs.event("Merit"), self.certs.event("Participation"), self.certs.event("merit")]
        self.chain.send(JOB, *map(self.chain.record, events))

    def check(self, effects: Sequence[str]) -> None:
        super().check(effects)
        assert len(self.certs.files) == len(self.certs.elements) == 2
        assert len(self.chain.platform.requests_to("POST", "/feed/v1/create")) <= 2


class Reissue(_WithoutRegistry):
    """A certificate is replaced by another."""

    effects = 12

    def prepare(self) -> None:
        self.certs.run(self.certs.event("Merit"))
        self.chain.drain()
        self.old_id = self.certs.elements[0]["identifier"]

    def send(self) -> None:
        self.chain.send(JOB, self.chain.record(self.certs.event("Merit", oldId=self.old_id)))
