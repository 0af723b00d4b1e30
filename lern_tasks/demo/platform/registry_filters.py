"""Search filters as the registry's index understands them. See docs/architecture.md, section "Embedded".

`eq` is a phrase match on analysed text, as in the real registry: it ignores case and punctuation and finds a value that
merely contains the phrase, so `u-4` also finds `u-4-2`. A client has to compare the hits itself.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_Operator = Callable[[list[Any], Any], bool]


def matches(document: Mapping[str, Any], filters: Mapping[str, Any], *, prefix: str = "") -> bool:
    """Whether a document meets all filters; fields are dotted paths or nested objects, lists match by any element.

    Raises:
        ValueError: for an operator that does not exist, or a filter that is no object.
    """
    # Every filter is looked at, also after one that fails, so that a wrong one is always an error.
    return all([_meets(document, f"{prefix}{name}", condition) for name, condition in filters.items()])  # noqa: C419 - see above


def _meets(document: Mapping[str, Any], path: str, condition: Any) -> bool:
    if not isinstance(condition, Mapping):
        raise ValueError(f"the filter of {path} must be an object")
    if not condition.keys() & _OPERATORS.keys():
        return matches(document, condition, prefix=f"{path}.")
    found = values_at(document, path.split("."))
    return all([_operator(operator)(found, operand) for operator, operand in condition.items()])  # noqa: C419 - as above


def values_at(value: Any, path: list[str]) -> list[Any]:
    """All values at a path; lists on the way are entered."""
    if isinstance(value, list):
        return [found for element in value for found in values_at(element, path)]
    if not path:
        return [value]
    if not isinstance(value, Mapping) or path[0] not in value:
        return []
    return values_at(value[path[0]], path[1:])


def _operator(name: str) -> _Operator:
    if name not in _OPERATORS:
        raise ValueError(f"there is no search operator {name!r}")
    return _OPERATORS[name]


def _words(value: Any) -> list[str]:
    # The standard analyser: lower case; a word is letters, digits, underscores, joined by a dot or apostrophe.
    return re.findall(r"\w+(?:[.']\w+)*", str(value).lower())


def _has_phrase(values: list[Any], phrase: Any) -> bool:
    wanted = _words(phrase)
    return any(
        bool(wanted) and wanted == words[start : start + len(wanted)]
        for words in map(_words, values)
        for start in range(len(words))
    )


def _has_phrase_prefix(values: list[Any], phrase: Any) -> bool:
    *whole, last = _words(phrase) or [""]
    return any(
        words[start : start + len(whole)] == whole and words[start + len(whole)].startswith(last)
        for words in map(_words, values)
        for start in range(len(words) - len(whole))
    )


def _ends(values: list[Any], end: Any) -> bool:
    return any(word.endswith(str(end)) for value in values for word in _words(value))


def _compares(test: Callable[[Any, Any], bool]) -> _Operator:
    def compare(values: list[Any], bound: Any) -> bool:
        return any(type(value) is type(bound) and test(value, bound) for value in values)

    return compare


def _not(operator: _Operator) -> _Operator:
    return lambda values, operand: not operator(values, operand)


def _between(values: list[Any], bounds: Any) -> bool:
    return any(type(value) is type(bounds[0]) and bounds[0] <= value <= bounds[-1] for value in values)


_OPERATORS: Mapping[str, _Operator] = {
    "eq": _has_phrase,
    "neq": _not(_has_phrase),
    "gt": _compares(lambda value, bound: value > bound),
    "gte": _compares(lambda value, bound: value >= bound),
    "lt": _compares(lambda value, bound: value < bound),
    "lte": _compares(lambda value, bound: value <= bound),
    "between": _between,
    "or": lambda values, options: any(value in options for value in values),
    "contains": _has_phrase,
    "notContains": _not(_has_phrase),
    "startsWith": _has_phrase_prefix,
    "notStartsWith": _not(_has_phrase_prefix),
    "endsWith": _ends,
    "notEndsWith": _not(_ends),
    "queryString": lambda values, text: any(word in _words(value) for value in values for word in _words(text)),
}
