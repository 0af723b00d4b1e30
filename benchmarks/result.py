"""One measurement and the ceiling that it is held against."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`measured` and `ceiling` in `unit`; the ceiling is None for a latency, whose target is absolute."""

    what: str
    measured: float
    unit: str
    target: str
    ceiling: float | None = None

    @property
    def share(self) -> float | None:
        return self.measured / self.ceiling if self.ceiling else None

    def cells(self) -> tuple[str, str, str, str, str]:
        share = f"{self.share:.0%}" if self.share is not None else ""
        ceiling = f"{self.ceiling:,.0f} {self.unit}" if self.ceiling else ""
        return self.what, f"{self.measured:,.1f} {self.unit}", ceiling, share, self.target

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "share": self.share}
