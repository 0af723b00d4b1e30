"""The effective settings as rows: variable, value, documented keys. See docs/configuration.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from lern_tasks.settings import Settings

_MASK = "********"

_SECRET_NAME = re.compile(r"password|secret|token|\.pem$|jaas\.config|oauthbearer\.config|api[._]?key", re.IGNORECASE)
"""Names of librdkafka properties and URL options whose values are secrets."""

_LOGIN = re.compile(r"(?<=://)([^/?#\s\"']*)@")
_URL_OPTION = re.compile(r"(?<=[?&;])([^=&;\s]*)=([^&;\s\"']*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """One setting. `shown` is its value as text, secrets masked; `scope` is empty for those of no group."""

    scope: str
    variable: str
    shown: str
    documented: tuple[str, ...]
    note: str
    changed: bool

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON."""
        return {
            "variable": self.variable,
            "value": self.shown,
            "documented": self.documented,
            "meaning": self.note,
            "changed": self.changed,
        }


def effective(settings: Settings) -> list[Effective]:
    """Every setting with its value, in the order of their declaration."""
    return list(_rows(settings, ""))


def scopes() -> list[str]:
    """The groups of settings: jobs, and what they share."""
    return [name for name, field in Settings.model_fields.items() if _is_group(field)]


def masked(text: str) -> str:
    """`text` without the passwords of URLs in it."""
    return _URL_OPTION.sub(_masked_option, _LOGIN.sub(_masked_login, text))


def _rows(model: BaseModel, scope: str) -> Iterator[Effective]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _rows(value, name)
            continue
        extra = field.json_schema_extra
        keys = extra.get("documented", []) if isinstance(extra, dict) else []
        yield Effective(
            scope=scope,
            variable=_variable(scope, name, field),
            shown=_shown(value),
            documented=tuple(str(key) for key in keys) if isinstance(keys, list) else (),
            note=field.description or "",
            changed=value != field.get_default(call_default_factory=True),
        )


def _variable(scope: str, name: str, field: FieldInfo) -> str:
    if isinstance(field.validation_alias, AliasChoices):
        name = str(field.validation_alias.choices[0])
    return "LERN_" + "__".join(part.upper() for part in (scope, name) if part)


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return _MASK if value.get_secret_value() else ""
    if isinstance(value, dict):
        value = {name: _MASK if _SECRET_NAME.search(name) else text for name, text in value.items()}
    text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
    return masked(text)


def _masked_login(login: re.Match[str]) -> str:
    user, colon, _ = login[1].partition(":")
    return f"{user}:{_MASK}@" if colon else f"{_MASK}@"


def _masked_option(option: re.Match[str]) -> str:
    return f"{option[1]}={_MASK}" if _SECRET_NAME.search(option[1]) else option[0]


def _is_group(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
