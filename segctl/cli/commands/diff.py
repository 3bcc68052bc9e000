"""Show who entered and left between two runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, TIME, Argument, Language, Option, verb
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.errors import Refused
    from segctl.model.project import Language as Words
    from segctl.operations.diff import Difference, SegmentMove

EXAMPLES = (
    ("segctl diff", "The last two runs, all segments."),
    ("segctl diff winback --from 2026-11-01 -f ids", "Ids of everybody who moved since that day's run."),
    ("segctl diff --guards", "Exit 4 when a change breaks a guard of its definition."),
)
EXITS = {1: "with --exit-code: somebody moved", 4: "with --guards: a change breaks a guard of its definition"}
SEE_ALSO = ("segctl explain --help", "segctl history --help", "segctl ls runs")
COLUMNS = (
    output.Column("segment"),
    output.Column("before", type="integer"),
    output.Column("entered", type="integer"),
    output.Column("left", type="integer"),
    output.Column("stayed", type="integer"),
    output.Column("after", type="integer"),
    output.Column("definition"),
)
LEAVES = (
    output.Column("segment"),
    output.Column("condition"),
    output.Column("before", type="integer"),
    output.Column("after", type="integer"),
    output.Column("change", type="integer"),
)
MOVES = (
    output.Column("segment"),
    output.Column("profile_id"),
    output.Column("change"),
    output.Column("effective", type="time"),
    output.Column("cause"),
    output.Column("cause_kind", extra=True),
)
CAUSES = (
    output.Column("segment"),
    output.Column("change"),
    output.Column("profiles", type="integer"),
    output.Column("cause"),
    output.Column("cause_kind", extra=True),
)


@verb(without=(*CHANGES, *TIME))
def command(
    ctx: Context,
    segments: Annotated[list[str], Argument("SEGMENT", help="Only these segments.", complete="segments")] = (),  # type: ignore[assignment]  # a list arrives as a tuple
    from_: Annotated[
        str | None, Option("--from", metavar="RUN|TIME", help="Earlier run; otherwise the one before.", complete="runs")
    ] = None,
    to: Annotated[
        str | None, Option("--to", metavar="RUN|TIME", help="Later run; otherwise the last.", complete="runs")
    ] = None,
    moves: Annotated[bool, Option("--moves", help="One row per profile that moved, instead of counts.")] = False,
    exit_code: Annotated[bool, Option("--exit-code", help="Exit 1 when somebody moved.")] = False,
    guards: Annotated[bool, Option("--guards", help="Let the definitions' guards decide the exit code.")] = False,
    language: Language = None,
) -> ExitCode | None:
    """Show who entered and left between two runs, why, and how each condition's count moved.

    Every move has a cause: an event that arrived, a changed trait, time that passed (`segctl help causes`). `--moves`
    names everybody who moved, with the cause and the instant. With `-f ids` every profile that moved, once.
    """
    from segctl.operations.diff import diff
    from segctl.operations.session import open_session

    wants_moves = moves or ctx.format == "ids"
    with open_session(ctx.project, env=ctx.env) as session:
        found = diff(
            session,
            segments,
            selection=ctx.selection,
            from_words=from_,
            to_words=to,
            now=ctx.now,
            with_moves=wants_moves,
            language=language,
        )
        facts = {
            "from": f"{found.from_run.id} as of {_seconds(session.local(found.from_run.as_of))}",
            "to": f"{found.to_run.id} as of {_seconds(session.local(found.to_run.as_of))}",
        }
        said = session.language(language)
    code = _code(ctx, found.refused if guards else (), has_changes=found.has_changes and exit_code)
    result = (
        _counts(ctx, found, said, all_leaves=bool(segments or ctx.selection))
        if found.moves is None
        else _moves(ctx, found.moves)
    )
    run = {
        "from": {"id": found.from_run.id, "as_of": found.from_run.as_of},
        "to": {"id": found.to_run.id, "as_of": found.to_run.as_of},
    }
    notes = [*(_note(changed) for changed in found.changed_inputs), *_merges(found, with_moves=wants_moves)]
    output.write(ctx, replace(result, facts=facts, run=run, notes=notes, exit=code))
    return code


def _moves(ctx: Context, moves: pl.DataFrame) -> output.Result:
    rows = moves.unique("profile_id", maintain_order=True) if ctx.format == "ids" else moves
    return output.Result("segctl/diff-moves/1", MOVES, rows.iter_rows(), noun="moves", ids_column="profile_id")


def _counts(ctx: Context, found: Difference, language: Words, *, all_leaves: bool) -> output.Result:
    rows = [
        (
            s.segment,
            s.before,
            s.entered,
            s.left,
            s.stayed,
            s.after,
            "removed" if s.definition_removed else "changed" if s.definition_changed else "same",
        )
        for s in found.segments
    ]
    leaves = _leaves(found.segments, all_of_them=all_leaves)
    told = (
        output.Section("causes", "causes", CAUSES, _causes(found.segments, language)),
        output.Section("leaves", "conditions", LEAVES, leaves),
    )
    # An empty list still is an answer to a program; to people it says nothing.
    sections = tuple(section for section in told if section.rows or ctx.format == "json")
    return output.Result("segctl/diff/1", COLUMNS, rows, noun="segments", sections=sections)


def _causes(segments: Iterable[SegmentMove], language: Words) -> list[tuple[object, ...]]:
    """Profiles by direction and kind of cause, the most frequent first."""
    from segctl.operations.causes.words import kind_words

    return [
        (segment.segment, change, profiles, kind_words(kind, language), kind)
        for segment in segments
        for change in ("entered", "left")
        for kind, profiles in segment.causes.get(change, {}).items()
    ]


def _seconds(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")


def _note(changed: str) -> str:
    if changed == "zone data":
        return "the rules of the time zone are others in the later run"
    return f"the list `{changed}` is another one in the later run"


def _merges(found: Difference, *, with_moves: bool) -> list[str]:
    if not found.identity_moves:
        return []
    what = "1 move comes" if found.identity_moves == 1 else f"{found.identity_moves:,} moves come"
    more = "" if with_moves else "; `--moves` names the cause of each"
    return [f"{what} from people merged or separated ({', '.join(found.identity_runs)}){more}"]


def _leaves(segments: Iterable[SegmentMove], *, all_of_them: bool) -> list[tuple[object, ...]]:
    """Every condition of the named segments; of all segments only the conditions that moved."""
    return [
        (leaf.segment, leaf.condition, leaf.before, leaf.after, leaf.change)
        for segment in segments
        for leaf in segment.leaves
        if all_of_them or leaf.change
    ]


def _code(ctx: Context, refused: tuple[Refused, ...], *, has_changes: bool) -> ExitCode:
    for refusal in refused:
        messages.error(ctx, refusal)
    if refused:
        return ExitCode.REFUSED
    return ExitCode.FINDINGS if has_changes else ExitCode.OK
