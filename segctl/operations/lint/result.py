"""What `lint` found, and in which texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.rules.base import Edit
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class LintResult:
    """What was checked and found.

    Attributes:
        root: Project folder that files are relative to.
        files: Files looked at, sorted.
        diagnostics: Everything found in them, in reading order.
        fixable: Findings in reading order with the edits of their rule; findings of form come without.
        accepted: Findings that waivers accept, with the reasons.
        contents: Every YAML file of the project by path.
    """

    root: Path
    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    fixable: tuple[tuple[Diagnostic, tuple[Edit, ...]], ...] = ()
    accepted: tuple[tuple[Diagnostic, str], ...] = ()
    contents: Mapping[str, DefinitionFile] = field(default_factory=dict)
