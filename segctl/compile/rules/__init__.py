"""Lint rules: one file each, with an example that fires it and one that does not; listed here without being loaded."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.compile.rules.base import Rule

_HERE = "segctl.compile.rules"

RULES: dict[str, str] = {
    "SEG700": f"{_HERE}.missing_owner:RULE",
    "SEG701": f"{_HERE}.missing_description:RULE",
}
"""Code → place of the rule. The module is named like the rule, so names are known without loading it."""


@cache
def load_rule(code: str) -> Rule:
    """The rule of a code.

    Raises:
        KeyError: There is no such rule.
    """
    module, _, attribute = RULES[code].partition(":")
    rule: Rule = getattr(import_module(module), attribute)
    return rule


def rule_names() -> dict[str, str]:
    """Name → code of every rule, in order of code."""
    return {place.partition(":")[0].rpartition(".")[2]: code for code, place in sorted(RULES.items())}
