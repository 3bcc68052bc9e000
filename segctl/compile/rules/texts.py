"""The explanations of all rules, made of the rules' own texts, for the catalogue."""

from __future__ import annotations

from segctl.compile.rules import RULES, load_rule
from segctl.compile.rules.base import Rule
from segctl.model.catalogue import Entry


def _entry(rule: Rule) -> Entry:
    remedy = f"{rule.remedy} {_settings(rule)}"
    return Entry(rule.title, rule.why, remedy, rule.bad.strip("\n"), rule.good.strip("\n"))


def _settings(rule: Rule) -> str:
    """What a project can say about the rule."""
    told = f"The rule `{rule.name}` has the level {rule.level}; `lint: {{rules: {{{rule.name}: off}}}}` turns it off."
    for name, default, words in rule.options:
        shown = default if isinstance(default, int) else f"[{', '.join(default)}]"
        told += f" Its option `{name}` says {words}; otherwise `{shown}`."
    return told + (" `segctl lint --fix` mends it." if rule.is_fixable else "")


ENTRIES: dict[str, Entry] = {code: _entry(load_rule(code)) for code in RULES}
