"""`segctl report health`: how segments do over the runs on record; nothing is evaluated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.cli.report_asked import pages
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.cli.context import Context
    from segctl.cli.report_asked import Asked
    from segctl.cli.report_document import Document, Look
    from segctl.cli.small_segments import SmallSegments
    from segctl.model.project import Language
    from segctl.operations.health.health import Examined, HealthFinding, SegmentHealth
    from segctl.operations.session import Session

_RUNS = 30
_MORE = {"en": "more", "de": "weitere"}
_NOTHING = ("no change is known for these findings; nothing was written",
            "für diese Befunde ist keine Änderung bekannt; nichts wurde geschrieben")  # fmt: skip
_NEXT = (
    (
        "look: segctl plan --with {folder}",
        "take over: cp -R {folder}/. .",
        "a plan also has what new data change: after `segctl apply` it has the proposals alone",
        "titles and descriptions stay as they are: read whether they are still true",
    ),
    (
        "ansehen: segctl plan --with {folder}",
        "übernehmen: cp -R {folder}/. .",
        "ein Plan enthält auch, was neue Daten ändern: nach `segctl apply` nur noch die Vorschläge",
        "Titel und Beschreibungen bleiben stehen: lesen, ob sie noch stimmen",
    ),
)
_LOOKS: dict[str, Look] = {"ok": "good", "watch": "warn", "act": "bad"}
COLUMNS = (
    output.Column("segment"),
    output.Column("health"),
    output.Column("reason"),
    output.Column("action", "what to do"),
)
MEASURES = (
    output.Column("segment"),
    output.Column("members", type="integer"),
    output.Column("runs", type="integer"),
    output.Column("per_run", "moves a run", type="share"),
    output.Column("per_day", "a day", type="share"),
    output.Column("flapping", type="integer"),
    output.Column("size_score", "size score", type="number", digits=1),
    output.Column("definition_since", "definition since", type="date"),
    output.Column("last_moved", "last moved", type="date"),
)
FINDINGS = (
    output.Column("segment"),
    output.Column("finding"),
    output.Column("level"),
    output.Column("reason"),
    output.Column("action", "what to do"),
    output.Column("p", type="number"),
    output.Column("values", type="object"),
)
PROPOSALS = (
    output.Column("segment"),
    output.Column("finding"),
    output.Column("change"),
    output.Column("what"),
    output.Column("file"),
)


def run(ctx: Context, session: Session, asked: Asked) -> ExitCode:
    """Write one line a segment; with `--explain` also every finding and the measures."""
    asked.only("explain", "least", "last", "html", "markdown", "quick", "propose")
    language = session.language(asked.language)
    whole = examined(ctx, session, asked)
    found = without_small(whole, language, asked.least or 0)
    pages(ctx, session, asked, document(found, language, at=session.local(ctx.now)))
    is_bad = any(one.level == "act" for one in found)
    code = ExitCode.FINDINGS if is_bad else ExitCode.OK
    sections = _sections(found) if asked.explain or ctx.format == "json" else ()
    notes: tuple[str, ...] = ()
    if asked.propose is not None:
        proposed, notes = _proposed(session, whole, Path(asked.propose), language)
        sections = (*sections, *proposed)
    result = output.Result(
        "segctl/report-health/1", COLUMNS, [_row(one, ctx, language) for one in found], noun="segments",
        facts={"environment": session.project.environment, **_counts(found)}, sections=sections,
        ids_column="segment", notes=notes, is_report=asked.propose is None, exit=code,
        reason="action_needed" if is_bad else None,
    )  # fmt: skip
    output.write(ctx, result)
    return code


def session_report(ctx: Context, session: Session, asked: Asked, *, least: int = 0) -> tuple[SegmentHealth, ...]:
    """The health of the selected segments, without counts of fewer people than `least`."""
    return without_small(examined(ctx, session, asked), session.language(asked.language), least)


def examined(ctx: Context, session: Session, asked: Asked) -> Examined:
    """The health of the selected segments with the figures behind it."""
    from segctl.operations.health import health

    last = _RUNS if asked.last is None else asked.last
    if last < 2:
        raise UsageError("SEG103", f"`--last {last}`: a number of 2 or more")
    language = session.language(asked.language)
    return health.examined(
        session, ctx.selection, now=ctx.now, last=last, language=language, with_doings=not asked.quick
    )


def _proposed(
    session: Session, found: Examined, folder: Path, language: Language
) -> tuple[tuple[output.Section, ...], tuple[str, ...]]:
    """Write the changed files; what was changed, and what to do next."""
    from segctl.operations.health.proposals import proposals, write

    made = proposals(session, found)
    rows = [(one.segment, one.finding, one.change, one.what, one.path) for one in made.made]
    title = "Vorschläge" if language == "de" else "proposals"
    if not rows:
        return (), (_NOTHING[language == "de"],)
    write(made, folder, session.root)
    return (output.Section("proposals", title, PROPOSALS, rows),), tuple(
        line.format(folder=folder) for line in _NEXT[language == "de"]
    )


def without_small(whole: Examined, language: Language, least: int) -> tuple[SegmentHealth, ...]:
    """What was found, without counts of fewer people than `least`, and without others that give these away."""
    if not least:
        return whole.segments
    from segctl.cli.small_segments import SmallSegments, small_segments

    small = SmallSegments(least) if whole.report is None else small_segments(whole.report, least)
    known = () if whole.report is None else whole.report.segments
    quiet = {one.segment for one in known if one.alike is not None and small.others(one.segment, one.alike)}
    return tuple(_without(one, small, language, figures=one.segment in quiet) for one in whole.segments)


def _without(one: SegmentHealth, small: SmallSegments, language: Language, *, figures: bool) -> SegmentHealth:
    is_hidden = small.hides(one.members) or small.size(one.segment)
    moves = is_hidden or any(unit[:2] == ("moves", one.segment) for unit in small.units if isinstance(unit, tuple))
    return replace(
        one,
        findings=tuple(
            _finding(one.segment, f, small, language, size=is_hidden, figures=figures) for f in one.findings
        ),
        members=None if is_hidden else one.members,
        per_run=None if moves else one.per_run,
        per_day=None if moves else one.per_day,
        flapping=None if small.hides(one.flapping) else one.flapping,
        size=None if is_hidden else one.size,
    )


def _finding(
    segment: str, finding: HealthFinding, small: SmallSegments, language: Language, *, size: bool, figures: bool
) -> HealthFinding:
    from segctl.operations.health.words import hidden, said

    values = hidden(finding.values, small.least, size=size, figures=figures and "others" in finding.values)
    if values == finding.values:
        return finding
    reason = said(finding.kind, {"segment": segment, **values}, language)[0]
    known = {key: value if value == finding.values[key] else None for key, value in values.items()}
    return replace(finding, reason=reason, values=known, p=None)


def document(found: tuple[SegmentHealth, ...], language: Language, *, at: datetime) -> Document:
    """One line a segment and all findings, in words.

    Args:
        found: What was found, in the same language.
        language: Of the words.
        at: When, in the zone of the project.
    """
    from segctl.cli.report_document import Document, Grid, Lead, Mark, Marks, Section
    from segctl.cli.report_speech import Speech

    speech = Speech(language)
    words = speech.words
    counts = {key: speech.n.count(number) for key, number in _counts(found).items()}
    look: Look = "bad" if any(one.level == "act" for one in found) else "good"
    marks = tuple(
        Mark(_LOOKS[one.level], words[f"level.{one.level}"], one.segment, _told(one)) for one in found
    )  # fmt: skip
    heads = (words["health"], words["segment_head"], words["reason"])
    every = tuple((one.segment, f.reason, f.action or "") for one in found for f in one.findings if f.level != "ok")
    listed = Grid(words["findings"], (words["segment_head"], words["finding"], words["action"]), every)
    sections = [Section("segments", words["health"], (Marks(words["health_title"], heads, marks),))]
    sections += [Section("findings", words["findings"], (listed,))] if every else []
    lead = Lead(look, speech.say("health_counts", **counts))
    return Document(words["health_title"], language, (speech.n.moment(at),), (lead,), tuple(sections))


def _told(one: SegmentHealth) -> str:
    first = one.findings[0]
    return f"{first.reason}. {first.action}" if first.action else first.reason


def _counts(found: tuple[SegmentHealth, ...]) -> dict[str, int]:
    return {level: sum(one.level == level for one in found) for level in ("act", "watch", "ok")}


def _row(one: SegmentHealth, ctx: Context, language: Language) -> tuple[Any, ...]:
    first, more = one.findings[0], len(one.findings) - 1
    reason = f"{first.reason} (+{more} {_MORE[language]})" if more and ctx.format == "table" else first.reason
    return one.segment, one.level, reason, first.action or None


def _sections(found: tuple[SegmentHealth, ...]) -> tuple[output.Section, ...]:
    findings = [
        (one.segment, f.kind, f.level, f.reason, f.action or None, f.p, dict(f.values) or None)
        for one in found
        for f in one.findings
        if f.level != "ok"
    ]
    measures = [
        (one.segment, one.members, one.runs, one.per_run, one.per_day, one.flapping,
         None if one.size is None else round(one.size.score, 2), one.definition_since, one.last_moved)
        for one in found
    ]  # fmt: skip
    return (
        output.Section("findings", "findings", FINDINGS, findings),
        output.Section("measures", "measures", MEASURES, measures),
    )
