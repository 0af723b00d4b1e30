"""`user_enrolments`: the certificates that an enrolment has.

See docs/jobs/collection_certificate_generator.md, "Rows".
"""

from collections.abc import Mapping, Sequence

from lern_tasks.storage.gateway import Gateway, Row, raise_first, value_of
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.enrolments import Enrolments

_COLUMNS = ("issued_certificates", "completedon")


def certificate_lock(key: EnrolmentKey) -> str:
    """The lock under which the certificates of an enrolment are read and replaced."""
    return f"certificate:{key.text}"


class IssuedCertificates:
    """The certificates by enrolment."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._rows = Enrolments(gateway, table)

    def read(self, key: EnrolmentKey) -> Row | None:
        """`issued_certificates` and `completedon`, None when there is no enrolment. Raises what the gateway answers."""
        return value_of(self._rows.read_rows([key], _COLUMNS)[key])

    def write(self, key: EnrolmentKey, certificates: Sequence[Mapping[str, str]], *, timestamp: int) -> None:
        """Replace the whole list. Raises what the gateway answers."""
        raise_first(self._gateway.apply([self._rows.replace_certificates(key, certificates, timestamp=timestamp)]))
