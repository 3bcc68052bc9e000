"""The block `lint` of the project file: how severe each rule is, and what it is told."""

from __future__ import annotations

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.rules import RULES, load_rule, rule_names
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import nearest, one_of
from segctl.model.diagnostics import Location
from segctl.model.lint import LEVELS, Level, LintSettings, RuleSettings, Setting

_EXAMPLE = "write `rules: {missing_owner: error}`"
_WORDS = {"false": "off", "none": "off", "aus": "off", "info": "note", "warn": "warning", "fehler": "error"}


def lint_settings(project: Mapping, scope: Scope) -> LintSettings:
    """What the project file says under `lint`; problems go to the scope."""
    node = project.get("lint")
    block = forms.mapping(node, scope, "`lint`", hint=_EXAMPLE) if node is not None else None
    if block is None:
        return LintSettings()
    forms.check_keys(block, ("rules",), scope, "`lint`")
    listed = block.get("rules")
    rules = forms.mapping(listed, scope, "`rules`", hint=_EXAMPLE) if listed is not None else None
    found = [_rule(key, value, scope) for key, value in (rules.entries if rules is not None else ())]
    return LintSettings(tuple(settings for settings in found if settings is not None))


def rule_code(name: str) -> str | None:
    """The code of a rule that is named by its name or its code, None when there is none."""
    return name.upper() if name.upper() in RULES else rule_names().get(name)


def rule_hint(name: str) -> str:
    """What to write instead of a name that no rule has."""
    near = nearest(name, rule_names())
    return f"did you mean `{near}`?" if near is not None else "`segctl help rules` lists all rules"


def _rule(key: Scalar, value: Node, scope: Scope) -> RuleSettings | None:
    code = rule_code(key.text.strip())
    if code is None:
        scope.error("SEG128", f"there is no lint rule {shown(key.text)}", key.location, hint=rule_hint(key.text))
        return None
    if isinstance(value, Mapping):
        level = value.get("level")
        options = [(name, of) for name, of in value.entries if name.text != "level"]
        bound = [_option(code, name, of, scope) for name, of in options]
        return RuleSettings(
            code,
            _level(level, scope) if level is not None else None,
            tuple(option for option in bound if option is not None),
        )
    return RuleSettings(code, _level(value, scope))


def _level(node: Node, scope: Scope) -> Level | None:
    written = node.text.strip().lower() if isinstance(node, Scalar) else ""
    if written in LEVELS:
        return written
    what = shown(node.text) if isinstance(node, Scalar) and node.text else forms.kind_of(node)
    meant = nearest(written, LEVELS, synonyms=_WORDS)
    hint = f"write `{meant}`" if meant is not None else f"write {one_of(LEVELS, 'or')}"
    scope.error("SEG129", f"{what} is no level of a lint rule", node.location, hint=hint)
    return None


def _option(code: str, key: Scalar, value: Node, scope: Scope) -> tuple[str, Setting, Location] | None:
    rule = load_rule(code)
    defaults = {name: default for name, default, _ in rule.options}
    if key.text not in defaults:
        known = ("level", *defaults)
        near = nearest(key.text, known)
        hint = f"did you mean `{near}`?" if near is not None else f"there is {one_of(known)}"
        scope.error("SEG130", f"the rule `{rule.name}` has no option {shown(key.text)}", key.location, hint=hint)
        return None
    setting: Setting | None
    if isinstance(defaults[key.text], int):
        setting = forms.count(value, scope, f"`{key.text}`")
    else:
        listed = forms.names(value, scope, f"`{key.text}`")
        setting = None if listed is None else tuple(item.text.strip() for item in listed)
    return None if setting is None else (key.text, setting, key.location)
