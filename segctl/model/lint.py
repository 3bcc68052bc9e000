"""How severe each lint rule is in a project, and what it is told."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location

Level = Literal["error", "warning", "note", "off"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note", "off")
Setting = int | tuple[str, ...]
"""Value of an option of a rule: a whole number, or words."""


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What the project file says about one rule.

    Attributes:
        code: Of the rule.
        level: None leaves the rule's own.
        options: By name, with the place of each.
    """

    code: str
    level: Level | None = None
    options: tuple[tuple[str, Setting, Location], ...] = ()


@dataclass(frozen=True, slots=True)
class LintSettings:
    """The block `lint` of the project file."""

    rules: tuple[RuleSettings, ...] = field(default=())

    def of(self, code: str) -> RuleSettings:
        """What is said about a rule; nothing by default."""
        return next((rule for rule in self.rules if rule.code == code), RuleSettings(code))
