"""What could be changed because of a finding, as edited files that `plan --with` shows the effect of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile.files import FOLDERS
from segctl.compile.project import FILE
from segctl.compile.project_edit import add_declarations
from segctl.compile.rewrite import narrowed, swapped, widened, without
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import has_errors
from segctl.model.errors import UsageError
from segctl.operations.overlay import overlaid

if TYPE_CHECKING:
    from segctl.model.conditions import EventSelection, SegmentDefinition
    from segctl.operations.health.health import Examined, HealthFinding
    from segctl.operations.segment_report.values import SegmentsReport
    from segctl.operations.session import Session

_NARROWING = ("not_paying", "like_everybody", "too_broad", "no_reaction")
_WIDENING = ("too_small", "dying", "flapping")
_LISTING = ("same_people", "opposite")
_REACTING_WINDOWS = 3
"""Windows within which somebody has reacted at least once."""
_FEW, _NEARLY_ALL = 0.05, 0.95
_OWN = (*FOLDERS, "lists", "tests")


@dataclass(frozen=True, slots=True)
class Proposal:
    """One changed file because of one finding.

    Attributes:
        change: Machine word: ``narrowed``, ``widened``, ``without``, ``listed`` or ``swapped``.
        what: What was added, or how a window changed; in the language of definitions.
        path: Of the file, relative to the project.
    """

    segment: str
    finding: str
    change: str
    what: str
    path: str


@dataclass(frozen=True, slots=True)
class Proposals:
    """Changes that go together, and the files that have them."""

    made: tuple[Proposal, ...]
    contents: Mapping[str, bytes]


def proposals(session: Session, found: Examined) -> Proposals:
    """A change for each finding that one is known for; only those with which all definitions are still right."""
    making = _Making(session, found.report)
    for one in found.segments:
        for finding in one.findings:
            making.add(one.segment, finding)
    return Proposals(tuple(making.made), making.contents)


def write(changes: Proposals, into: Path, root: Path) -> tuple[Path, ...]:
    """Write the changed files below a folder under the names that they have in the project.

    Raises:
        UsageError: The folder holds something, or is the project's own.
    """
    target, own = into.resolve(), root.resolve()
    is_own = target == own or any(target.is_relative_to(own / name) for name in _OWN)
    if is_own or (into.exists() and (not into.is_dir() or any(into.iterdir()))):
        raise UsageError(
            "SEG979", f"`{into}` is no empty folder of its own", why="proposals are whole files beside the project's",
            hint="name a folder that does not exist yet, such as `proposals`",
        )  # fmt: skip
    written = []
    for path, content in sorted(changes.contents.items()):
        file = into / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        written.append(file)
    return tuple(written)


class _Making:
    """Changes one after another, each on top of those before."""

    def __init__(self, session: Session, report: SegmentsReport | None) -> None:
        self.session, self.report = session, report
        self.root = Path(session.project.root)
        self.contents: dict[str, bytes] = {}
        self.made: list[Proposal] = []

    def add(self, name: str, finding: HealthFinding) -> None:
        """The change for a finding, when one is known and right; of a rule only one at a time."""
        segment = self.session.definitions.segments[name]
        of_project = finding.kind in (*_LISTING, "displaced")
        path = FILE if of_project or segment.location is None else segment.location.file
        if not of_project and any(one.path == path for one in self.made):
            return
        text = self._text(path)
        found = None if text is None else self._changed(segment, finding, text)
        if found is None or text is None or found[0] == text:
            return
        changed, change, what = found
        contents = self.contents | {path: changed.encode("utf-8")}
        _, problems = overlaid(self.root, self.session.project.environment, contents)
        if not has_errors(problems):
            self.contents = contents
            self.made.append(Proposal(name, finding.kind, change, what, path))

    def _text(self, path: str) -> str | None:
        known = self.contents.get(path)
        try:
            return (known if known is not None else (self.root / path).read_bytes()).decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _changed(self, segment: SegmentDefinition, finding: HealthFinding, text: str) -> tuple[str, str, str] | None:
        """New text, change and what it is."""
        if finding.kind in _NARROWING:
            condition = self._condition(segment.name, finding)
            new = None if condition is None else narrowed(text, condition)
            return None if new is None or condition is None else (new, "narrowed", condition)
        if finding.kind in _WIDENING:
            wide = widened(text)
            return None if wide is None else (wide[0], "widened", f"{wide[1]} → {wide[2]}")
        if finding.kind == "always_true":
            return _without(segment, finding, text)
        other = finding.values.get("other")
        if other is None:
            return None
        if finding.kind == "displaced":
            new = swapped(text, "priority", str(other), segment.name)
            return None if new is None else (new, "swapped", f"priority: {segment.name} ↔ {other}")
        if finding.kind in _LISTING:
            names = f"[{segment.name}, {other}]"
            new = add_declarations(text, {"priority": {f"{segment.name}_first"[:60]: names}})
            return None if new is None else (new, "listed", f"priority: {names}")
        return None

    def _condition(self, name: str, finding: HealthFinding) -> str | None:
        """Who has reacted, or bought, lately; where that leaves nobody out, or hardly anybody in, none."""
        settings = self.session.project.reports
        if settings is None or self.report is None:
            return None
        if finding.kind == "no_reaction" and settings.engagement is not None:
            return _within(settings.engagement, max(_REACTING_WINDOWS * settings.window.days, 1))
        cycle, stages = self.report.lifecycle, self.report.segment(name).stages
        size = self.report.segment(name).size
        if settings.purchase is None or cycle is None or not stages or not size:
            return None
        active = sum(stages[stage] for stage in ("new", "active", "back")) / size
        if _FEW <= active <= _NEARLY_ALL:
            return _within(settings.purchase, cycle.active_days)
        return None if active < _FEW else _within(settings.purchase, max(cycle.active_days // 2, 1))


def _within(selection: EventSelection, days: int) -> str:
    events = selection.events
    of = f'"{events[0]}"' if events == ("*",) else events[0] if len(events) == 1 else f"[{', '.join(events)}]"
    return f"{{event: {of}, within_last: {days} {'day' if days == 1 else 'days'}}}"


def _without(segment: SegmentDefinition, finding: HealthFinding, text: str) -> tuple[str, str, str] | None:
    """The rule without a condition that everybody meets."""
    from segctl.compile.lower import leaves_of
    from segctl.compile.words import describe

    for path, leaf in leaves_of(segment.where):
        # Only under `all` a condition that is always true decides nothing.
        is_all = path.count("[") == 1 and path.startswith("all[")
        if is_all and leaf.location is not None and describe(leaf) == finding.values.get("written"):
            new = without(text, leaf.location.line)
            return None if new is None else (new, "without", str(finding.values["written"]))
    return None
