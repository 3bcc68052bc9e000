"""Asks every lint rule that a project has not turned off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.rules import RULES, load_rule
from segctl.compile.rules.base import Edit, Facts, Rule, Subject
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.lint import RuleSettings
from segctl.model.project import Definitions
from segctl.model.sources import Source


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding of a rule as it is told, and the edits that mend it."""

    rule: str
    diagnostic: Diagnostic
    edits: tuple[Edit, ...] = ()


def subject_of(
    definitions: Definitions,
    sources: Mapping[str, Source],
    files: Mapping[str, DefinitionFile],
    today: date,
    *,
    is_complete: bool = True,
    now: datetime | None = None,
) -> Subject:
    """What rules look at; with `now` also what the workspace's data hold, where there is one, read when asked for."""

    def load_facts() -> Facts | None:
        if now is None:
            return None
        from segctl.operations.value_index import load_value_index

        return load_value_index(definitions, now)

    return Subject(definitions, sources, files, today, is_complete, load_facts)


def judge(subject: Subject, codes: Iterable[str] = tuple(RULES)) -> Iterator[Judged]:
    """The findings of rules that are not off, rule by rule."""
    settings = subject.definitions.project.lint
    for code in codes:
        rule, said = load_rule(code), settings.of(code)
        level = said.level or rule.level
        if level == "off":
            continue
        subject.settings = _options(rule, said)
        told: set[Location] = set()
        for found in rule.check(subject):
            # Sister segments are written once, so what is wrong with the text is told once.
            if found.location in told:
                continue
            told.add(found.location)
            finding = Diagnostic(
                code, Severity(level), found.message, found.location, found.why, found.hint, found.is_private
            )
            yield Judged(rule.name, finding, found.edits)


def _options(rule: Rule, said: RuleSettings) -> dict[str, int | tuple[str, ...]]:
    found = {name: default for name, default, _ in rule.options}
    return found | {name: value for name, value, _ in said.options if name in found}
