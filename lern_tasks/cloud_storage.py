"""Stored URLs and the place where they really lead. See docs/jobs/collection_cert_pre_processor.md, "Rows"."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudStorage:
    """`placeholder` is what stored URLs have in the place of `base`; empty: there is none."""

    placeholder: str
    base: str

    def opened(self, stored: str) -> str:
        """A stored URL as others can open it."""
        return stored.replace(self.placeholder, self.base) if self.placeholder else stored
