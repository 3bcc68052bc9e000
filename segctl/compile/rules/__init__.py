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
    "SEG702": f"{_HERE}.missing_purpose:RULE",
    "SEG703": f"{_HERE}.unused_trait:RULE",
    "SEG704": f"{_HERE}.unused_building_block:RULE",
    "SEG705": f"{_HERE}.personal_data:RULE",
    "SEG706": f"{_HERE}.secret:RULE",
    "SEG707": f"{_HERE}.sensitive_without_purpose:RULE",
    "SEG708": f"{_HERE}.all_events_unbounded:RULE",
    "SEG709": f"{_HERE}.open_sequence:RULE",
    "SEG710": f"{_HERE}.plain_regex:RULE",
    "SEG711": f"{_HERE}.long_value_list:RULE",
    "SEG712": f"{_HERE}.opt_out_in_any:RULE",
    "SEG713": f"{_HERE}.negative_without_missing:RULE",
    "SEG714": f"{_HERE}.negated_segment:RULE",
    "SEG715": f"{_HERE}.inactive_reference:RULE",
    "SEG716": f"{_HERE}.draft_with_destination:RULE",
    "SEG717": f"{_HERE}.tiny_percentage:RULE",
    "SEG718": f"{_HERE}.duplicate_values:RULE",
    "SEG719": f"{_HERE}.unsorted_values:RULE",
    "SEG720": f"{_HERE}.placeholder_text:RULE",
    "SEG721": f"{_HERE}.odd_spelling:RULE",
    "SEG722": f"{_HERE}.missing_guards:RULE",
    "SEG723": f"{_HERE}.expired:RULE",
    "SEG740": f"{_HERE}.contradiction:RULE",
    "SEG741": f"{_HERE}.always_true:RULE",
    "SEG742": f"{_HERE}.impossible_condition:RULE",
    "SEG743": f"{_HERE}.idle_condition:RULE",
    "SEG744": f"{_HERE}.redundant_condition:RULE",
    "SEG745": f"{_HERE}.duplicate_condition:RULE",
    "SEG746": f"{_HERE}.unreachable_branch:RULE",
    "SEG747": f"{_HERE}.hopeless_sequence:RULE",
    "SEG748": f"{_HERE}.empty_window:RULE",
    "SEG750": f"{_HERE}.value_never_seen:RULE",
    "SEG751": f"{_HERE}.value_in_other_case:RULE",
    "SEG752": f"{_HERE}.equal_segments:RULE",
    "SEG753": f"{_HERE}.similar_segments:RULE",
    "SEG754": f"{_HERE}.share_above_one:RULE",
    "SEG755": f"{_HERE}.exact_fraction:RULE",
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
