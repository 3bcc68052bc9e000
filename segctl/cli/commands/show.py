"""Show one thing: a segment, trait, event, source, destination, experiment, workflow, content or run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from segctl.cli import messages, output
from segctl.cli.audience_view import show_waterfall
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, Argument, Language, Option, verb
from segctl.model.audience import STEPS
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.operations.dictionary import FieldFacts
    from segctl.operations.session import Session

EXAMPLES = (
    ("segctl show segment:vip", "The definition in words, its size and last change."),
    ("segctl show segment:vip -f csv --columns country,lifetime_value", "Its members with values of traits."),
    ("segctl show winback --waterfall", "Who of its members may be told where, and why others may not."),
    ("segctl show event:order_completed", "Properties, how complete they are, frequent values."),
    ("segctl show --html site", "All segments, traits and sources as pages for people."),
)
SEE_ALSO = ("segctl ls --help", "segctl explain --help")
EXITS = {4: "a column is personal data and --show-personal is not set"}
KINDS = ("segment", "trait", "event", "source", "destination", "experiment", "workflow", "content", "run")
_MEMBER_FORMATS = ("ids", "csv", "ndjson", "parquet")
_FIELDS = (
    output.Column("name"),
    output.Column("type"),
    output.Column("unit"),
    output.Column("filled", type="share", bar=True),
    output.Column("distinct", type="integer"),
    output.Column("lowest"),
    output.Column("highest"),
    output.Column("frequent", "frequent values", type="list"),
)
_VALUES = (
    output.Column("value"),
    output.Column("profiles", type="integer", bar=True),
    output.Column("share", type="share"),
)


@verb(without=CHANGES)
def command(
    ctx: Context,
    thing: Annotated[
        str | None, Argument("KIND:NAME", help="Such as segment:vip or event:order_completed.", complete="things")
    ] = None,
    columns: Annotated[str, Option("--columns", metavar="NAMES", help="Traits shown with members, by commas.")] = "",
    members: Annotated[bool, Option("--members", help="List a segment's members in table and json too.")] = False,
    run: Annotated[
        str | None, Option("--run", metavar="RUN", help="Members after this run; otherwise in force.", complete="runs")
    ] = None,
    show_personal: Annotated[bool, Option("--show-personal", help="Also names, addresses and the like.")] = False,
    waterfall: Annotated[
        bool, Option("--waterfall", help="From a segment's members to its audiences, step by step.")
    ] = False,
    to: Annotated[
        str | None, Option("--to", metavar="DEST", help="Of --waterfall: this destination.", complete="destinations")
    ] = None,
    step: Annotated[
        str | None, Option("--step", metavar="STEP", help="Of --waterfall: who fell out at this step.", choices=STEPS)
    ] = None,
    html: Annotated[
        str | None,
        Option("--html", metavar="DIR", complete="folders", help="Write the whole project as pages for people."),
    ] = None,
    force: Annotated[
        bool, Option("--force", help="With --html: also into a folder with other files, which stay.")
    ] = False,
    language: Language = None,
) -> None:
    """Show one thing: a segment in words and its members; an event kind or trait with what is in it; any other.

    With `-f ids`, `csv`, `ndjson` or `parquet` a segment's members are written. With `--select` several segments are
    shown in words. With `--html` every segment gets a page, with its lineage and its sizes over the runs.
    `--waterfall` counts who falls out on the way to each destination; with `--step` or `-f ids` it names them.
    """
    from segctl.operations.session import open_session

    if html is not None:
        _site(ctx, Path(html), thing, language, force=force)
        return
    if thing is None or ctx.selection:
        _several(ctx, thing, language)
        return
    kind, name, is_bare = _kind_and_name(ctx, thing)
    if waterfall or to is not None or step is not None:
        show_waterfall(ctx, kind, name, to, step, language)
        return
    wanted = tuple(filter(None, (c.strip() for c in columns.split(","))))
    with open_session(ctx.project, env=ctx.env) as session:
        if is_bare:
            _check_segment(session, name)
        if kind == "segment" and (members or wanted or run or ctx.format in _MEMBER_FORMATS):
            result = _members(session, name, wanted, run, show_personal=show_personal)
        elif kind == "segment":
            result = _segment(session, name, language)
        elif kind == "trait":
            result = _trait(ctx, session, name, show_personal=show_personal)
        else:
            result = _OTHERS[kind](session, name)
    output.write(ctx, result)
    if kind == "segment" and result.schema == "segctl/show-segment/1":
        messages.notice(ctx, f"next: segctl show segment:{name} -f ids, or segctl size {name}")


def _kind_and_name(ctx: Context, thing: str) -> tuple[str, str, bool]:
    """What is to be shown, and whether its kind was left out."""
    kind, _, name = thing.partition(":")
    is_bare = not name
    if is_bare:
        kind, name = "segment", thing
    if kind not in KINDS:
        raise UsageError(
            "SEG511", f"there is no kind `{kind}`", hint=f"use one of {', '.join(f'`{k}:`' for k in KINDS)}"
        )
    if ctx.as_of is not None and kind != "trait":
        raise UsageError(
            "SEG518",
            f"`--as-of` makes no sense for a {kind}",
            hint="members are those of a run: `--run`, after `apply`",
        )
    return kind, name, is_bare


def _site(ctx: Context, folder: Path, thing: str | None, language: str | None, *, force: bool) -> None:
    from zoneinfo import ZoneInfo

    from segctl.cli.site_folder import write
    from segctl.cli.site_pages import pages
    from segctl.operations.site import site

    if thing is not None or ctx.selection:
        raise UsageError("SEG104", "`--html` writes the whole project", hint=f"segctl show --html {folder}")
    found = site(ctx.project, env=ctx.env, language=language)
    written, gone = write(folder, pages(found, ctx.now.astimezone(ZoneInfo(found.zone))), force=force)
    former = f", {gone} of segments that are gone taken away" if gone else ""
    messages.notice(ctx, f"{written} pages written to {folder}{former}; open {folder / 'index.html'}")


def _several(ctx: Context, thing: str | None, language: str | None) -> None:
    from segctl.cli.several_segments import result
    from segctl.operations.session import open_session

    if thing is not None or not ctx.selection:
        raise UsageError(
            "SEG104", "`show` shows one thing, or the segments of `--select`", hint="segctl show segment:vip"
        )
    with open_session(ctx.project, env=ctx.env) as session:
        found = result(session, ctx.selection, language)
    output.write(ctx, found)


def _check_segment(session: Session, name: str) -> None:
    """A bare name that is no segment may be the name of something else.

    Raises:
        UsageError: It is; the hint says of what.
    """
    project = session.project
    others = {"event": project.event(name), "trait": next((t for t in project.traits if t.name == name), None)}
    kind = next((kind for kind, found in others.items() if found is not None), None)
    if kind is not None and name not in session.definitions.segments:
        raise UsageError(
            "SEG510", f"there is no segment `{name}`", hint=f"did you mean the {kind}: `segctl show {kind}:{name}`?"
        )


def _segment(session: Session, name: str, language: str | None) -> output.Result:
    from segctl.operations.pauses import in_words, paused_now
    from segctl.operations.show import segment_facts

    found = segment_facts(session, name, language=language)
    definition, newest = found.definition, found.newest
    press = paused_now(session.workspace, session.definitions.segments).segments.get(name)
    facts: dict[str, Any] = {
        "segment": name,
        "title": definition.title,
        "description": definition.description,
        "owner": definition.owner,
        "purpose": definition.purpose,
        "paused": None if press is None else in_words(press, str(session.local(press.at).date())),
        "expires": None if definition.expires is None else str(definition.expires),
        "tags": list(definition.tags),
        "status": definition.status,
        "members": newest.size if newest else None,
        "entered": newest.entered if newest else None,
        "left": newest.left if newest else None,
        "as_of": session.local(newest.as_of) if newest else None,
        "run": newest.run if newest else None,
        "file": definition.location.file if definition.location else None,
    }
    notes = ["the definition has changed since that run"] if found.changed_since else []
    if newest is None:
        notes.append("no run has evaluated it yet: `segctl apply`")
    lines = [f"{'  ' * depth}{text}" for depth, text in found.words]
    return output.Result(
        "segctl/show-segment/1",
        (output.Column("line", "in words"),),
        [(line,) for line in lines],
        facts={k: v for k, v in facts.items() if v not in (None, [])},
        notes=notes,
    )


def _members(
    session: Session, name: str, columns: tuple[str, ...], run: str | None, *, show_personal: bool
) -> output.Result:
    from segctl.operations.dictionary import shown
    from segctl.operations.show import members

    found = members(session, name, columns=columns, show_personal=show_personal, run=run)
    kinds: dict[str, output.ColumnType] = {
        "integer": "integer", "number": "number", "money": "money", "boolean": "boolean", "date": "date",
        "time": "time", "list": "list", "struct": "object", "real": "number",
    }  # fmt: skip
    heads = [output.Column("profile_id")]
    heads += [output.Column(c, type=kinds.get(of.kind.value, "text"), unit=of.unit) for c, of in found.types]
    rows: Any = found.frame
    if columns:
        types = [of for _, of in found.types]
        rows = (
            (row[0], *(shown(value, of) for value, of in zip(row[1:], types, strict=True)))
            for row in found.frame.iter_rows()
        )
    return output.Result(
        "segctl/show-members/1", tuple(heads), rows, noun="members", facts={"segment": name}, ids_column="profile_id"
    )


def _event(session: Session, name: str) -> output.Result:
    from segctl.operations.dictionary import event_facts

    found = event_facts(session, name)
    facts = {
        "event": name,
        "rows": found.rows,
        "first": session.local(found.first) if found.first else None,
        "last": session.local(found.last) if found.last else None,
        "sources": [f"{source}: {rows:,}" for source, rows in found.sources],
    }
    return output.Result(
        "segctl/show-event/1", _FIELDS, [_field(p) for p in found.properties], noun="properties", facts=facts
    )


def _trait(ctx: Context, session: Session, name: str, *, show_personal: bool) -> output.Result:
    from segctl.operations.dictionary import trait_facts
    from segctl.operations.session import instant

    as_of = instant(ctx.as_of, ctx.now, session.project.timezone)
    found = trait_facts(session, name, as_of=as_of, show_personal=show_personal)
    facts = {
        "trait": name,
        "type": found.facts.type,
        "unit": found.facts.unit,
        "as_of": session.local(as_of),
        "profiles": found.profiles,
        "filled": found.facts.filled,
        "distinct": found.facts.distinct,
        "lowest": found.facts.lowest,
        "highest": found.facts.highest,
    }
    rows = [(value, n, n / found.profiles) for value, n in found.facts.frequent]
    notes = ["values are personal data: `--show-personal` shows them"] if found.personal and not show_personal else []
    return output.Result(
        "segctl/show-trait/1",
        _VALUES,
        rows,
        noun="frequent values",
        facts={k: v for k, v in facts.items() if v is not None},
        notes=notes,
    )


def _source(session: Session, name: str) -> output.Result:
    from segctl.operations.source_facts import source_facts

    found = source_facts(session, name)
    columns = (
        output.Column("input"),
        output.Column("seen", type="time"),
        output.Column("rows", type="integer"),
        output.Column("good", type="integer"),
        output.Column("bad", type="integer"),
        output.Column("digest"),
    )
    return output.Result("segctl/show-source/1", columns, found.inputs, noun="inputs", facts=found.facts)


def _destination(session: Session, name: str) -> output.Result:
    from segctl.operations.destination_facts import destination_facts

    found = destination_facts(session, name)
    columns = (
        output.Column("segment"),
        output.Column("audience", "audience there"),
        output.Column("members", type="integer", bar=True),
        output.Column("told", "told of", type="integer"),
    )
    facts = {key: value for key, value in found.facts.items() if value not in (None, [])}
    return output.Result("segctl/show-destination/1", columns, found.audiences, noun="segments", facts=facts)


def _experiment(session: Session, name: str) -> output.Result:
    from segctl.operations.experiment.facts import experiment_facts

    found = experiment_facts(session.definitions, name)
    facts = {key: session.local(value) if isinstance(value, datetime) else value for key, value in found.facts.items()}
    columns = (
        output.Column("metric"),
        output.Column("role"),
        output.Column("kind"),
        output.Column("measured"),
        output.Column("unit"),
        output.Column("better"),
        output.Column("before"),
        output.Column("cap", type="number"),
    )
    known = {key: value for key, value in facts.items() if value not in (None, [])}
    if "started" in known:
        from segctl.state.assignments import assignment_counts

        counts = assignment_counts(session.workspace, session.definitions.experiments[name].key)
        known["assigned"] = [f"{arm} {people:,}, {exposed:,} exposed" for arm, (people, exposed) in counts.items()]
    return output.Result("segctl/show-experiment/1", columns, found.metrics, noun="metrics", facts=known)


def _content(session: Session, name: str) -> output.Result:
    from segctl.cli.content_view import content_result

    return content_result(session, name)


def _workflow(session: Session, name: str) -> output.Result:
    from segctl.cli.workflow_view import shown
    from segctl.operations.things import unknown_thing

    known = session.definitions.workflows
    if name not in known:
        raise unknown_thing("workflow", name, list(known))
    return shown(known[name], session.language())


def _run(session: Session, name: str) -> output.Result:
    from segctl.state.runs import find_run, run_segments

    run = find_run(session.workspace, name)
    facts: dict[str, Any] = {
        "run": run.id,
        "status": run.status.value,
        "as_of": session.local(run.as_of),
        "snapshot": run.snapshot,
        "started": session.local(run.started),
        "tool_version": run.tool_version,
        "reproducible": run.reproducible,
        "timings": run.timings,
    }
    facts |= {
        key: run.note[key] for key in ("plan", "allowed", "expired", "paused", "stale", "reason") if key in run.note
    }
    columns = (
        output.Column("segment"),
        output.Column("members", type="integer", bar=True),
        output.Column("entered", type="integer"),
        output.Column("left", type="integer"),
        output.Column("state"),
        output.Column("digest"),
    )
    rows = [
        (s.segment, s.size, s.entered, s.left, s.state.value, run.definitions.get(s.segment, "")[:8])
        for s in run_segments(session.workspace, run)
    ]
    return output.Result("segctl/show-run/1", columns, rows, noun="segments", facts=facts)


_OTHERS = {
    "event": _event, "source": _source, "destination": _destination, "experiment": _experiment,
    "workflow": _workflow, "content": _content, "run": _run,
}  # fmt: skip
"""Kinds whose things are shown by their name alone."""


def _field(facts: FieldFacts) -> tuple[Any, ...]:
    frequent = [f"{value} ({rows:,})" for value, rows in facts.frequent]
    return (facts.name, facts.type, facts.unit, facts.filled, facts.distinct, facts.lowest, facts.highest, frequent)
