"""Check a project, its sources or single files: definitions, rows against contracts, and the whole against checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.contracts import ContractDeclaration
from segctl.model.diagnostics import has_errors
from segctl.model.errors import SegctlError, UsageError
from segctl.model.project import Project
from segctl.model.sources import DEFAULT_LIMIT, Limit, NumberForm, Source
from segctl.operations.contracts import findings_of, quarantined
from segctl.operations.ingest.columns import check_columns
from segctl.operations.ingest.contract import Gate, gate_of, with_contract
from segctl.operations.progress import Progress, Silent
from segctl.operations.validate_landed import rows_to_check
from segctl.operations.validate_report import FileToCheck, SourceReport, ValidationReport, report_of

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files import Detected, RawBatch

BadRows = Callable[[str, "pl.DataFrame"], None]
"""Takes the name of a file and its bad rows: ``line``, ``raw``, ``reasons``."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a call changes about every source.

    Attributes:
        contract: Stands in for the declared one.
        limit: Stands in for the declared one.
        now: For ages; aware.
        progress: Who is told.
        bad_rows: Who gets the rows; None lets them go.
    """

    now: datetime
    contract: ContractDeclaration | None = None
    limit: Limit | None = None
    progress: Progress = field(default_factory=Silent)
    bad_rows: BadRows | None = None

    def applied(self, source: Source) -> Source:
        """The source as this call sees it."""
        return replace(
            source,
            contract=self.contract or source.contract,
            max_bad_rows=self.limit or source.max_bad_rows,
        )


def validate_project(start: Path, env: str | None, wishes: Wishes) -> ValidationReport:
    """Everything: definitions as `lint` finds them, then each source that has files.

    Raises:
        UsageError: There is no project.
    """
    from segctl.compile.project import load_project
    from segctl.compile.sources import load_sources
    from segctl.operations.lint.lint import lint

    found = lint(start, env)
    project, _ = load_project(start, env)
    sources, _ = load_sources(project)
    reports = [_source(project, source, sources, wishes) for source in sources.values()]
    return ValidationReport(found.root, tuple(reports), found.diagnostics, len(found.files))


def validate_named(start: Path, env: str | None, names: Sequence[str], wishes: Wishes) -> ValidationReport:
    """Named sources, and files: of a declared source, or checked against the contract of the call.

    Raises:
        UsageError: A name is neither; a file has no contract; a contract cannot be used.
    """
    project = _project(start, env, is_needed=wishes.contract is None)
    sources = _declared(project, wishes)
    _refuse_unusable(wishes.contract)
    reports = []
    for name in names:
        if name in sources:
            reports.append(_source(project, sources[name], sources, wishes))
        else:
            reports.append(_file(project, name, sources, wishes))
    return ValidationReport(Path(project.root), tuple(reports))


def _project(start: Path, env: str | None, *, is_needed: bool) -> Project:
    from segctl.compile.project import load_project

    try:
        return load_project(start, env)[0]
    except UsageError:
        if is_needed:
            raise
        return Project(name="", root=str(start.absolute()))


def _declared(project: Project, wishes: Wishes) -> dict[str, Source]:
    from segctl.compile.sources import load_sources
    from segctl.operations.ingest.ingest import sources_of

    if not project.name:
        return {}
    return sources_of(project) if wishes.contract is None else load_sources(project)[0]


def _refuse_unusable(contract: ContractDeclaration | None) -> None:
    found = findings_of(contract) if contract is not None else []
    if has_errors(found):
        raise UsageError("SEG431", "the contract cannot be used; nothing was read", diagnostics=tuple(found))


def _source(project: Project, source: Source, sources: dict[str, Source], wishes: Wishes) -> SourceReport:
    source = wishes.applied(source)
    if source.contract is not None and has_errors(findings_of(source.contract)):
        return SourceReport(source.name, source.max_bad_rows, notes=("its contract cannot be used",))
    try:
        with rows_to_check(project, source) as files:
            if not files:
                note = "it is fetched, and no copy of that is kept: `segctl ingest` judges its rows"
                return SourceReport(source.name, source.max_bad_rows, notes=(note,))
            return _judged(project, source, files, sources, wishes)
    except SegctlError as error:
        # One source that cannot be read is a finding among others.
        return SourceReport(source.name, source.max_bad_rows, error=error)


def _file(project: Project, name: str, sources: dict[str, Source], wishes: Wishes) -> SourceReport:
    from segctl.compile.source_nodes import nearest
    from segctl.connectors.files import expand

    path = Path(name)
    if name != "-" and not path.exists():
        raise UsageError("SEG439", f"`{name}` is neither a source nor a file", hint=nearest(name, sources))
    absolute = path.absolute()
    for source in sources.values():
        if wishes.contract is None and source.fetch is None:
            own = [each for each in expand(Path(project.root), source.paths) if each.absolute() == absolute]
            if own:
                return _judged(project, wishes.applied(source), [FileToCheck(path, name)], sources, wishes)
    if wishes.contract is None:
        raise UsageError("SEG438", f"`{name}` belongs to no source", hint="name its contract: `--contract FILE`")
    alone = Source(name, (name,), contract=wishes.contract, max_bad_rows=wishes.limit or DEFAULT_LIMIT)
    try:
        return _judged(project, alone, [FileToCheck(path, name)], sources, wishes, types=False)
    except UsageError:
        raise
    except SegctlError as error:
        return SourceReport(name, alone.max_bad_rows, error=error)


def _judged(
    project: Project,
    source: Source,
    files: Iterable[FileToCheck],
    sources: dict[str, Source],
    wishes: Wishes,
    *,
    types: bool = True,
) -> SourceReport:
    gate = gate_of(source, project, previous=_previous(project, source), now=wishes.now, others=sources)
    shown = []
    for file in files:
        shown.append(file.shown)
        _read(project, source, file, gate, wishes, types=types)
    wishes.progress.finish()
    return report_of(source, gate, tuple(shown))


def _previous(project: Project, source: Source) -> dict[str, Any]:
    """Figures of the last ingest; none where nothing was ingested yet."""
    if not source.checks or not (Path(project.workspace) / "state.db").is_file():
        return {}
    from segctl.state.checked import last_facts
    from segctl.state.workspace import Workspace

    with Workspace.open(Path(project.workspace)) as workspace:
        return last_facts(workspace, source.name)


def _read(project: Project, source: Source, file: FileToCheck, gate: Gate, wishes: Wishes, *, types: bool) -> None:
    from segctl.connectors.files import detect
    from segctl.operations.ingest.pipeline import ahead
    from segctl.operations.ingest.source import existing, read_options
    from segctl.operations.ingest.tracking import batches_of, shape_options

    options = shape_options(source, read_options(source))
    path = file.path if file.rows is not None else existing(file.path)
    detected = detect(path, options) if file.rows is None else file.rows.detected
    if types:
        check_columns(source, detected, file.shown)
    form = NumberForm(detected.decimal or ".", detected.thousands or None)
    gate.begin_file(file.shown, form)
    wishes.progress.start(f"validate {file.shown}", total=detected.bytes, unit="bytes")
    done = 0
    given = None if file.rows is None else file.rows.batches()
    for batch in ahead(given or batches_of(source, project, path, options, detected)):
        unread = [(bad.line, bad.reason.message, bad.reason.expected) for bad in batch.bad]
        gate.tally.add_unread(unread, file.shown)
        if batch.frame.height:
            bad = _bad_rows(source, batch, gate, detected, form, file.shown if types else None)
            if wishes.bad_rows is not None and bad is not None and bad.height:
                wishes.bad_rows(file.shown, bad)
        wishes.progress.advance(batch.bytes_done - done)
        done = batch.bytes_done


def _bad_rows(
    source: Source, batch: RawBatch, gate: Gate, detected: Detected, form: NumberForm, typed_as: str | None
) -> pl.DataFrame | None:
    """Bad rows of a batch by contract and by type; both are counted on the way."""
    from segctl.connectors.typing_rows import type_batch
    from segctl.connectors.typing_values import Counts

    judged = gate.judge(batch, detected)
    if typed_as is None:
        return None if judged is None else quarantined(batch, judged[0])
    typed = with_contract(type_batch(source, batch.frame, batch.lines, form, Counts()), batch, judged)
    gate.tally.add_typed(typed.bad, typed_as)
    return typed.bad
