"""How segments lie to one another: proved from their definitions, and counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, Argument, Language, Option, verb

if TYPE_CHECKING:
    from segctl.operations.overlap import Overlap, Who
    from segctl.operations.session import Session

EXAMPLES = (
    ("segctl overlap vip winback", "What is proved of the two, how many are in which, and an example."),
    ("segctl overlap vip winback --who first -f ids", "Ids of everybody who is in the first only."),
    ('segctl overlap -s "tag:daily" --html overlap.html', "All intersections of several, also as a page."),
)
SEE_ALSO = ("segctl size --help", "segctl diff --help", "segctl help select")
WIDEST = 10
"""More segments than that do not fit beside one another; their pairs are listed instead."""

GROUPS = (
    output.Column("segments", "in exactly"),
    output.Column("profiles", type="integer", bar=True),
    output.Column("share", type="share", digits=3),
)
SIZES = (output.Column("number", "no."), output.Column("segment"), output.Column("members", type="integer", bar=True))
PAIRS = (
    output.Column("first"),
    output.Column("second"),
    output.Column("both", type="integer"),
    output.Column("jaccard", type="share", digits=3, bar=True),
)


@verb(without=CHANGES)
def command(
    ctx: Context,
    segments: Annotated[list[str], Argument("SEGMENT", help="Two segments or more.", complete="segments")] = (),  # type: ignore[assignment]  # a list arrives as a tuple
    now: Annotated[bool, Option("--now", help="Evaluate now, instead of counting the last run's members.")] = False,
    top: Annotated[
        int | None,
        Option("--top", metavar="N", help="Largest intersections and pairs; otherwise 20 in a table, else all."),
    ] = None,
    who: Annotated[
        str | None,
        Option(
            "--who",
            metavar="WHO",
            choices=("all", "any", "first", "second"),
            help="Whose ids: in all of them, in any, only in the first, only in the second.",
        ),
    ] = None,
    html: Annotated[
        str | None, Option("--html", metavar="FILE", complete="files", help="Also write a page for people.")
    ] = None,
    engine: Annotated[
        str, Option("--engine", metavar="NAME", help="What evaluates.", choices=("polars", "duckdb"))
    ] = "polars",
    language: Language = None,
) -> None:
    """Compare segments: equivalent, one in the other, disjoint or overlapping, and how many are in which.

    Of two segments first what their definitions prove, whatever the data are, then a test with profiles that show
    what they do not exclude. Counted are the members of the last run; with `--now` or `--as-of` they are evaluated.
    Of more segments every exclusive intersection, largest first, and how alike each two are (Jaccard: members of both
    by members of at least one).
    """
    from segctl.operations.overlap import overlap
    from segctl.operations.selection import chosen
    from segctl.operations.session import instant, open_session

    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        names = tuple(segments) or (chosen(session.definitions, ctx.selection) if ctx.selection else ())
        as_of = instant(ctx.as_of, ctx.now, session.project.timezone) if now or ctx.as_of is not None else None
        wanted = cast("Who | None", who or ("all" if ctx.format == "ids" else None))
        found = overlap(session, names, as_of=as_of, engine=engine, who=wanted)
        shown = top if top is not None else 20 if ctx.format == "table" else max(found.group_count, len(found.pairs))
        result = _result(session, found, shown)
        if html is not None:
            _write_page(session, found, Path(html), language)
    if found.ids is not None:
        result = output.Result(
            "segctl/overlap-ids/1", (output.Column("profile_id"),), [(i,) for i in found.ids], noun="profiles",
            ids_column="profile_id", run=result.run,
        )  # fmt: skip
    output.write(ctx, replace(result, notes=_notes(found, shown)) if found.ids is None else result)


def _result(session: Session, found: Overlap, top: int) -> output.Result:
    from segctl.cli.overlap_words import no_example_words, relation_words

    facts: dict[str, object] = {
        "counted": f"run {found.run.id}" if found.run is not None else "evaluated for this call",
        "as_of": session.local(found.as_of),
    }
    if found.population is not None:
        facts["profiles"] = found.population
    names = list(found.sizes)
    text: list[str] = []
    document: dict[str, object] = {"members": dict(found.sizes)}
    if found.relation is not None:
        facts["relation"] = relation_words(found, names)
        facts["proved"] = found.relation.kind if found.relation.kind != "open" else None
        facts["jaccard"] = found.pairs[0].jaccard
        document["example"] = found.relation.example
        text = found.relation.example.splitlines() if found.relation.example else []
        if (reason := no_example_words(found)) is not None:
            document["no_example"] = reason
            text = [reason]
    rows = [(list(g.segments), g.profiles, g.profiles / found.anybody) for g in found.groups[:top]]
    sizes = [(number, name, members) for number, (name, members) in enumerate(found.sizes.items(), start=1)]
    sections = [output.Section("sizes", "segments", SIZES, sizes)]
    sections += _alike(found, names, top)
    run = {"id": found.run.id, "as_of": found.run.as_of} if found.run is not None else {"as_of": found.as_of}
    return output.Result(
        "segctl/overlap/1",
        GROUPS,
        rows,
        noun="intersections",
        facts=facts,
        document=document,
        text=text,
        sections=tuple(sections),
        run=run,
    )


def _alike(found: Overlap, names: list[str], top: int) -> list[output.Section]:
    """Each two segments; few of them as a matrix too."""
    ordered = sorted(found.pairs, key=lambda pair: (-(pair.jaccard or 0), pair.first, pair.second))
    rows = [(pair.first, pair.second, pair.both, pair.jaccard) for pair in ordered[:top]]
    pairs = output.Section("pairs", "how alike, most first", PAIRS, rows)
    if not 3 <= len(names) <= WIDEST:
        return [pairs]
    by_name = {(p.first, p.second): p.jaccard for p in found.pairs} | {
        (p.second, p.first): p.jaccard for p in found.pairs
    }
    columns = (
        output.Column("segment"),
        *(output.Column(str(number), type="number", digits=2) for number in range(1, len(names) + 1)),
    )
    matrix = [(name, *(1.0 if name == other else by_name[name, other] for other in names)) for name in names]
    return [output.Section("jaccard", "Jaccard, by number of segment", columns, matrix), pairs]


def _notes(found: Overlap, top: int) -> list[str]:
    notes = [
        f"the definition of `{name}` has changed since its members were found; `--now` evaluates it"
        for name in found.changed
    ]
    rest = found.group_count - min(top, len(found.groups))
    if rest:
        notes.append(f"{rest:,} smaller intersections are not shown; `--top` shows more")
    return notes


def _write_page(session: Session, found: Overlap, path: Path, language: str | None) -> None:
    from segctl.cli.overlap_page import page

    at = session.local(found.as_of)
    path.write_text(
        page(found, name=session.project.name, language=session.language(language), at=at), encoding="utf-8"
    )
