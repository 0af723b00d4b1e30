"""The tables of all variables together."""

from tests.variables import assessment, generator, merge, pre_processor, progress, relation

MODULES = (progress, assessment, relation, merge, pre_processor, generator)
CASES = [case for module in MODULES for case in module.CASES]

NO_EFFECT: dict[tuple[str, str], str] = {}
