"""One plan over one input, the same way on every engine: blocks of profiles, then what needs all of them.

The engine reads and condenses events to one row per profile; such rows are few, so they are Polars frames
whatever the engine. Blocks bound memory; only `keep`, and what refers to it, waits for all blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, Plan, references, roots, walk
from segctl.compile.zones import to_us
from segctl.engines.base import EngineInput, Evaluation
from segctl.engines.block import Block
from segctl.engines.dialects import PolarsDialect
from segctl.engines.folding import without_folding
from segctl.engines.keep import kept
from segctl.engines.next_change import DUE, NextChange, earliest
from segctl.engines.physical import stored, worked, working_dtype
from segctl.engines.reading import Reader
from segctl.engines.scope import Scope, list_column, segment_column, trait_column
from segctl.engines.scores import with_scores
from segctl.engines.staging import Stages, stages
from segctl.model.dataclass import dataclass
from segctl.model.types import Kind

_ROWS_PER_BLOCK = 5_000_000
_PROFILES_AT_LEAST = 1_000


@dataclass(frozen=True, slots=True)
class Early:
    """What blocks of profiles know alone, and what is left to do once everybody is seen.

    Attributes:
        plan: Without tests that fold.
        staged: What comes when.
        scope: Of the evaluation.
        frame: One row per profile, sorted by ``subject``: ``subject``, ``profile_id``, ``segment:NAME`` of segments
            that a block can decide, the columns of `Stages.columns` and `Stages.strict`, in working form, and where
            it was asked for the next change, in `next_change.DUE`.
    """

    plan: Plan
    staged: Stages
    scope: Scope
    frame: pl.DataFrame


def evaluate(
    plan: Plan,
    data: EngineInput,
    reader: Reader,
    *,
    as_of: datetime,
    zone: str,
    only: Sequence[int] | None,
    due: bool = False,
) -> Evaluation:
    """Answers of the plan's segments and outputs, one row per profile, sorted by `subject`; next changes if asked."""
    # The population of `keep` is everybody, whoever is asked for, and so are colleagues.
    asks_all = bool(plan.colleagues) or any(segment.keep is not None for segment in plan.segments)
    found = early_answers(plan, data, reader, as_of=as_of, zone=zone, only=None if asks_all else only, due=due)
    return finished(found, only=only)


def early_answers(
    plan: Plan,
    data: EngineInput,
    reader: Reader,
    *,
    as_of: datetime,
    zone: str,
    only: Sequence[int] | None,
    due: bool = False,
) -> Early:
    """What blocks can answer alone, of everybody or only of some; scores are made among all that `data` has."""
    profiles = working_profiles(plan, data)
    scope = _scope(plan, data, profiles, as_of, zone)
    # Scores are made of everybody's values, so all texts may matter to them.
    few = None if only is None or plan.scores else tuple(sorted(set(only)))
    plan = without_folding(plan, profiles, reader, scope, listed=few)

    ahead = [data.later()] if due and data.later is not None else []

    def of_everybody(asked: Plan) -> pl.DataFrame:
        answers = evaluate(asked, replace(data, later=None), reader, as_of=as_of, zone=zone, only=None, due=due).answers
        if due:
            ahead.append(answers.select("subject", "due"))
        return answers

    profiles, scope = with_scores(plan, profiles, scope, of_everybody)
    staged = stages(plan)
    listed = None if only is None else pl.Series(sorted(set(only)), dtype=pl.Int32)
    rows = profiles if listed is None else profiles.filter(pl.col("subject").is_in(listed.implode()))
    narrow = None if listed is None else tuple(listed)
    changes = NextChange(plan) if due and reader.is_polars else None
    blocks = (Block(plan, block, data, reader, scope, listed=narrow, changes=changes) for block in _blocks(rows, data))
    frame = pl.concat([block.answers(staged) for block in blocks], how="vertical_relaxed")
    if due:
        # An engine without next changes of its own says that everything may change at once.
        frame = frame if changes is not None else frame.with_columns(pl.lit(scope.now + 1, pl.Int64).alias(DUE))
        frame = earliest(frame, ahead)
    return Early(plan, staged, scope, frame)


def finished(found: Early, *, only: Sequence[int] | None = None) -> Evaluation:
    """The answers, of all rows or of some of them, when the early ones of everybody are there."""
    strict = found.staged.strict
    missing = {test: int(found.frame.get_column(column).sum()) for test, column in strict.items()}
    answers = late_answers(found.staged, found.frame.drop(*strict.values()), found.scope)
    failed = failures(found.plan, found.staged, missing)
    if only is not None:
        listed = pl.Series(sorted(set(only)), dtype=pl.Int32)
        answers = answers.filter(pl.col("subject").is_in(listed.implode()))
    return Evaluation(_finished(found.plan, answers, failed), failed)


def working_profiles(plan: Plan, data: EngineInput) -> pl.DataFrame:
    """The columns of the profiles that the plan needs, in working form under the engine's own names."""
    return data.profiles.select(*working_columns(plan, data.profiles.columns))


def working_columns(plan: Plan, given: Collection[str]) -> list[pl.Expr]:
    """The columns of the profiles that the plan needs, of those that are given."""
    traits = dict.fromkeys(node for node in _all_nodes(plan) if isinstance(node, ir.StoredTrait))
    present = set(given)
    columns = [pl.col("subject"), pl.col("profile_id")]
    for trait in traits:
        value = worked(trait.name, trait.type) if trait.name in present else pl.lit(None, working_dtype(trait.type))
        columns.append(value.alias(trait_column(trait)))
    columns += [pl.col(f"sample:{salt}") for salt in plan.samples]
    columns += [pl.col(column) for column in sorted({list_column(test) for test in plan.lists})]
    return columns


def _all_nodes(plan: Plan) -> Iterable[Node]:
    asked = [root for segment in plan.segments for root in roots(segment)] + [output.ask for output in plan.outputs]
    return (node for root in asked for node in walk(root))


def _scope(plan: Plan, data: EngineInput, profiles: pl.DataFrame, as_of: datetime, zone: str) -> Scope:
    """The scope of the evaluation, with the range of all instants in the data."""
    known = [as_of]
    for part in data.events:
        known += [at for at in (part.min_ts, part.max_ts) if at is not None]
        if part.rows and part.min_ts is None:
            known.append(as_of - timedelta(days=36_525))
    instants = [to_us(at) for at in known]
    for frame in data.changes.values():
        instants += [us for us in frame.select(pl.col("ts").cast(pl.Int64).min()).to_series() if us is not None]
    for trait in {
        node for node in _all_nodes(plan) if isinstance(node, ir.StoredTrait) and node.type.kind is Kind.TIME
    }:
        column = profiles.get_column(trait_column(trait))
        instants += [int(us) for us in (column.min(), column.max()) if isinstance(us, int)]
    return Scope(as_of, zone, min(instants), max(instants), PolarsDialect())


def _blocks(profiles: pl.DataFrame, data: EngineInput) -> Iterable[pl.DataFrame]:
    """Ranges of profiles with bounded numbers of events; one empty block if there are no profiles."""
    # Subjects are dense, so the largest tells how many share the events.
    of = int(profiles.item(-1, "subject")) + 1 if profiles.height else 1
    events = sum(part.rows for part in data.events) * profiles.height // of
    number = max(1, min(-(-events // _ROWS_PER_BLOCK), -(-profiles.height // _PROFILES_AT_LEAST)))
    size = max(1, -(-profiles.height // number))
    return (profiles.slice(start, size) for start in range(0, max(1, profiles.height), size))


def late_answers(
    staged: Stages, answers: pl.DataFrame, scope: Scope, ids: Callable[[pl.Series], pl.Series] | None = None
) -> pl.DataFrame:
    """Early answers of everybody with segments that wait for `keep` or colleagues, and what refers to them.

    Args:
        staged: What waits.
        answers: One row per profile.
        scope: Of the evaluation.
        ids: As in `kept`.
    """
    from segctl.engines.block import predicate_column
    from segctl.engines.colleagues import with_colleagues

    scope = scope.knowing(staged.known)
    for segment in staged.late:
        answers, scope = with_colleagues(answers, segment.where, scope)
        matched = predicate_column(answers, segment.where, scope).fill_null(value=False)
        if segment.keep is not None:
            by, per = staged.ranks[segment.name]
            matched = kept(answers, matched, segment.keep, by=by, per=per, ids=ids)
        answers = answers.with_columns(matched.alias(segment_column(segment.name)))
    for output in staged.late_outputs:
        answers, scope = with_colleagues(answers, output.ask, scope)
        answers = answers.with_columns(predicate_column(answers, output.ask, scope).alias(output.name))
    return answers


def failures(plan: Plan, staged: Stages, missing: dict[ir.Predicate, int]) -> dict[str, str]:
    """Segments with unknown answers where none may be, and those that refer to them."""
    failed: dict[str, str] = {}
    for segment in plan.segments:
        unknown = sum(missing[test] for test in staged.strict_of[segment.name])
        broken = next((name for name in references(segment) if name in failed), None)
        if unknown:
            profiles = "1 profile" if unknown == 1 else f"{unknown} profiles"
            failed[segment.name] = f"a value that must not be missing is missing for {profiles}"
        elif broken is not None:
            failed[segment.name] = f"it refers to `{broken}`, which failed"
    return failed


def _finished(plan: Plan, answers: pl.DataFrame, failed: dict[str, str]) -> pl.DataFrame:
    """The asked columns in stored form; failed segments have none, and what refers to them is unknown."""
    columns: dict[str, pl.Expr] = {"subject": pl.col("subject")}
    if DUE in answers.columns:
        columns[DUE] = pl.col(DUE).alias("due")
    for segment in plan.segments:
        if segment.name not in failed:
            columns[segment_column(segment.name)] = pl.col(segment_column(segment.name))
    for output in plan.outputs:
        refers = {node.segment for node in walk(output.ask) if isinstance(node, ir.IsMember)}
        if refers & set(failed):
            columns[output.name] = pl.lit(None, pl.Boolean).alias(output.name)
        else:
            value_type = getattr(output.ask, "type", None)
            columns[output.name] = pl.col(output.name) if value_type is None else stored(output.name, value_type)
    return answers.select(*columns.values())
