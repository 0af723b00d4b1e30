"""`user_enrolments`: the certificates that an enrolment has.

See docs/jobs/collection_certificate_generator.md, "Rows".
"""

from collections.abc import Mapping, Sequence

from lern_tasks.storage.gateway import Gateway, Row, raise_first, value_of
from lern_tasks.storage.table import Table
from lern_tasks.sunbird import enrolments
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_COLUMNS = ("issued_certificates", "completedon")


class IssuedCertificates:
    """The certificates by enrolment."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def read(self, key: EnrolmentKey) -> Row | None:
        """`issued_certificates` and `completedon`, None when there is no enrolment. Raises what the gateway answers."""
        return value_of(enrolments.read_rows(self._gateway, self._table, [key], _COLUMNS)[key])

    def write(self, key: EnrolmentKey, certificates: Sequence[Mapping[str, str]], *, timestamp: int) -> None:
        """Replace the whole list. Raises what the gateway answers."""
        mutation = enrolments.write_certificates(self._table, key, certificates, timestamp=timestamp)
        raise_first(self._gateway.apply([mutation]))
