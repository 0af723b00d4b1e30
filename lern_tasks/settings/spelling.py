"""Variables that are no settings, and which one was meant. See docs/configuration.md."""

from collections.abc import Iterator
from difflib import get_close_matches

from pydantic import AliasChoices, BaseModel


def not_a_setting(variable: str, model: type[BaseModel]) -> str:
    """What to say of a variable that `model`, all settings, does not have."""
    near = get_close_matches(variable.upper(), list(_variables(model, "LERN_")), n=1, cutoff=0.8)
    advice = f"did you mean {near[0]}?" if near else "`lern settings` lists all of them"
    return f"{variable} is not a setting; {advice}"


def _variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner, alias = field.annotation, field.validation_alias
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _variables(inner, f"{prefix}{name.upper()}__")
        else:
            names = alias.choices if isinstance(alias, AliasChoices) else [name]
            yield from (f"{prefix}{str(spelt).upper()}" for spelt in names)
