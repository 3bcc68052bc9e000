"""Say why a person is in or out of a segment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, Argument, Language, Option, verb
from segctl.model.errors import UsageError
from segctl.model.project import RELATED

if TYPE_CHECKING:
    from segctl.compile.trace import Branch, EventRow, LeafTrace, Trace, TracedValue
    from segctl.compile.words_trace import TraceWords
    from segctl.operations.explain import Explanation
    from segctl.operations.explain_stream import Ahead
    from segctl.operations.session import Session

EXAMPLES = (
    ("segctl explain winback 00005", "The conditions with their answers, values and deciding events."),
    ("segctl explain winback 00005 --until", "Also when the answer changes if nothing else happens."),
    ("segctl explain winback 00005 --run last", "With what was known at that run."),
    ("segctl explain identity 00005 00007", "Why two identifiers are one person, link by link."),
    ("segctl explain identity 00005 00007 --fuzzy", "How alike two people are, field by field."),
)
SEE_ALSO = ("segctl profile --help", "segctl help missing-values", "segctl help as-of")
COLUMNS = (
    output.Column("condition"),
    output.Column("answer"),
    output.Column("value"),
    output.Column("missing"),
    output.Column("line", type="integer"),
)
EVENTS = (
    output.Column("condition"),
    output.Column("at", type="time"),
    output.Column("event"),
    output.Column("properties", type="object"),
    output.Column("place"),
)
_WORDS = {True: "true", False: "false", None: "unknown"}


@verb(without=(*SELECTION, *CHANGES), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    segment: Annotated[str, Argument("SEGMENT", help="Name of a segment.", complete="segments")],
    who: Annotated[str, Argument("WHO", help="Profile id or any identifier; - reads it from standard input.")],
    other: Annotated[str | None, Argument("WHO", help="With `identity`: the other identifier.")] = None,
    run: Annotated[
        str | None, Option("--run", metavar="RUN", help="With that run's instant and knowledge.", complete="runs")
    ] = None,
    until: Annotated[bool, Option("--until", help="Also when the answer changes if nothing else happens.")] = False,
    show_personal: Annotated[
        bool, Option("--show-personal", help="With `identity`: show identifiers and shared values.")
    ] = False,
    fuzzy: Annotated[
        bool, Option("--fuzzy", help="With `identity`: weigh how alike the two are, whatever links them.")
    ] = False,
    language: Language = None,
) -> None:
    """Say why a person is in or out of a segment, or why two identifiers are one person.

    Every condition with true, false or unknown, the values it read, the event rows that decided, and for those out
    what is missing. `--as-of` uses today's knowledge of that time, `--run` what was known then.

    `explain identity A B` shows the path of links between two identifiers, or what keeps them apart; where likeness
    has a part in it, also what each field adds to the weight, in bits: 0 bits are even odds, 10 a thousand to one.
    """
    if segment == "identity":
        _identity(ctx, who, other, personal=show_personal, fuzzy=fuzzy)
        return
    from segctl.cli.people import asked
    from segctl.compile.words_trace import TraceWords
    from segctl.operations.experiment.person import arms_in_segment
    from segctl.operations.explain import explain
    from segctl.operations.session import instant, open_session

    if run is not None and ctx.as_of is not None:
        messages.notice(ctx, "`--run` brings its own instant; `--as-of` is not used")
    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        as_of = instant(ctx.as_of, ctx.now, session.project.timezone)
        found = explain(session, segment, asked(ctx, who), as_of=as_of, run=run, until=until, language=language)
        arms = arms_in_segment(session, segment, found.profile_id, now=ctx.now)
    words = TraceWords(session.project.timezone, session.language(language))
    sections: tuple[output.Section, ...] = ()
    if found.trace is not None:
        events = list(_event_rows(session, found, found.trace, words))
        sections = (output.Section("events", "events that decided", EVENTS, events),) if events else ()
    rows = list(_rows(session, found.trace, words)) if found.trace is not None else []
    output.write(
        ctx,
        output.Result(
            "segctl/explain/1",
            COLUMNS,
            rows,
            noun=None,
            facts=_facts(session, segment, found, until=until)
            | ({"experiments": [str(one) for one in arms]} if arms else {}),
            sections=sections,
            notes=_notes(session, found, until=until),
        ),
    )


def _identity(ctx: Context, one: str, other: str | None, *, personal: bool, fuzzy: bool) -> None:
    """The path of links between two identifiers."""
    from segctl.cli.identity_path import write_path

    if other is None:
        hint = "give both: `segctl explain identity A B`"
        raise UsageError("SEG104", "`explain identity` needs two identifiers", hint=hint)
    write_path(ctx, one, other, personal=personal, fuzzy=fuzzy)


_OUTSIDE = {
    "objected_profiling": "the person objects to profiling",
    "restricted": "the use of the person's data is restricted",
    "erased": "the person was erased",
}


def _facts(session: Session, segment: str, found: Explanation, *, until: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "segment": segment,
        "profile_id": found.profile_id,
        "as_of": session.local(found.as_of),
        "member": found.member,
    }
    if found.run is not None:
        facts["run"] = found.run
    if until:
        facts["changes_at"] = session.local(found.flip.at) if found.flip else None
        facts["changes_to"] = _WORDS[found.flip.answer] if found.flip else None
    return facts


def _notes(session: Session, found: Explanation, *, until: bool) -> list[str]:
    notes = [_changed(what) for what in found.changed_since]
    if found.outside is not None:
        notes.append(f"{_OUTSIDE[found.outside]}, so no segment, count or trait is about them")
    elif not found.in_population:
        notes.append("nobody by that identifier is in the population at that time")
    if found.expires is not None and found.has_expired:
        notes.append(f"the segment expired on {session.local(found.expires).date()}: nobody belongs to it any more")
    if found.kept is False:
        notes.append("the conditions hold, but `keep` ranks others higher")
    if until and found.in_population and found.flip is None and not found.has_expired:
        notes.append("if nothing else happens, the answer never changes")
    if found.in_force is not None and found.in_force != found.member and found.in_force_as_of is not None:
        word = "a member" if found.in_force else "no member"
        notes.append(
            f"in the run in force, as of {session.local(found.in_force_as_of).isoformat(' ', 'seconds')}: {word}"
        )
    if found.moved_why is not None and found.moved_at is not None:
        word = "entered" if found.in_force else "left"
        notes.append(f"{word} {session.local(found.moved_at).isoformat(' ', 'seconds')}: {found.moved_why}")
    if found.ahead is not None:
        notes.append(_ahead(session, found.ahead))
    return notes


def _ahead(session: Session, said: Ahead) -> str:
    """What a stream says that no run says yet."""
    word = "a running stream" if said.is_running else "a stream that broke off"
    beginning = f"{word} is ahead of the run in force and says: {'a member' if said.member else 'no member'}"
    if said.moved_at is None:
        return f"{beginning}, as that run does"
    verb = "entered" if said.member else "left"
    return f"{beginning}, {verb} {session.local(said.moved_at).isoformat(' ', 'seconds')}: {said.moved_why}"


def _changed(what: str) -> str:
    if what == "definition":
        return "the definition has changed since that run: this is today's, with what was known then"
    if what == "zone data":
        return "the rules of the time zone have changed since that run: these are today's"
    return f"the list `{what}` has changed since that run: this is today's"


def _rows(session: Session, trace: Trace, words: TraceWords) -> Iterator[tuple[Any, ...]]:
    def visit(branch: Branch, depth: int, *, negated: bool) -> Iterator[tuple[Any, ...]]:
        indent = "  " * depth
        if branch.leaf is None:
            yield (f"{indent}{words.heading(branch.word)}", _WORDS[branch.answer], None, None, None)
        else:
            leaf = trace.leaves[branch.leaf]
            missing = _missing(leaf, _personal(session), words, negated=negated)
            yield (f"{indent}{leaf.text}", _WORDS[leaf.answer], _values(session, leaf, words), missing, leaf.line)
        for item in branch.items:
            yield from visit(item, depth + 1, negated=negated != (branch.word == "not"))

    yield from visit(trace.tree, 0, negated=False)


def _missing(leaf: LeafTrace, personal: frozenset[str], words: TraceWords, *, negated: bool) -> str | None:
    """What keeps the person out; below a `not` a true condition does, and a false one is as it should be."""
    if not negated or leaf.answer is None:
        # What is missing is said with the value that is there.
        return "(personal)" if leaf.missing and any(_is_hidden(v, personal) for v in leaf.values) else leaf.missing
    return words.say("not") if leaf.answer else None


def _values(session: Session, leaf: LeafTrace, words: TraceWords) -> str | None:
    from segctl.operations.dictionary import shown

    personal = _personal(session)
    texts = []
    for value in leaf.values:
        text = "(personal)" if _is_hidden(value, personal) else shown(value.value, value.type)
        texts.append(f"{value.name} = {words.plain(text)}")
    return "; ".join(texts) or None


def _personal(session: Session) -> frozenset[str]:
    return frozenset(t.name for t in session.project.traits if t.is_private)


def _is_hidden(value: TracedValue, personal: frozenset[str]) -> bool:
    return value.value is not None and value.name.partition(".")[0] in personal


def _event_rows(session: Session, found: Explanation, trace: Trace, words: TraceWords) -> Iterator[tuple[Any, ...]]:
    from segctl.compile.trace_rows import NO_TIME

    for leaf in trace.leaves:
        for event in leaf.events:
            place = (found.places or {}).get((event.source, event.event_id))
            since = None if event.ts == NO_TIME else session.local(event.ts)
            yield (leaf.text, since, event.kind.removeprefix(RELATED), _properties(session, event), place)
        if leaf.event_count > len(leaf.events):
            yield (leaf.text, None, words.say("earlier", f"{leaf.event_count - len(leaf.events):,}"), {}, None)


def _properties(session: Session, event: EventRow) -> dict[str, Any]:
    from segctl.model.types import stored_column
    from segctl.operations.dictionary import shown

    kind = session.project.event(event.kind)
    table = session.project.table(event.kind.removeprefix(RELATED)) if event.kind.startswith(RELATED) else None
    if table is not None:
        of_row = {name: shown(event.values[name], of) for name, of in table.properties if name in event.values}
        return {"key": event.event_id, **of_row}
    if kind is None:
        return {name: value for name, value in event.values.items() if value is not None}
    columns = {stored_column(name, of): (name, of) for name, of in kind.properties}
    return {columns[c][0]: shown(v, columns[c][1]) for c, v in event.values.items() if c in columns and v is not None}
