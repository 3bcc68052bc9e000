"""The instant at which windows of exact lengths passed over profiles.

A condition on events whose windows have exact lengths can change at known instants only: an event's time, plus the
length of a window. To ask it at such an instant, all events of the profile are moved instead, by as much as the instant
lies before the later evaluation: so every profile is asked at an instant of its own, and all in one evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.consents import is_consent
from segctl.compile.plan import HISTORY, Output, plan, walk
from segctl.model.project import RELATED
from segctl.model.times import (
    EXACT_SECONDS,
    Before,
    Between,
    Duration,
    OlderThan,
    RelativeTime,
    Since,
    Window,
    WithinLast,
)
from segctl.operations.causes.events import copied, searched
from segctl.operations.causes.reach import kinds_of
from segctl.operations.causes.rows import held_events

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.operations.causes.replay import State

CLOCKED = (ir.DaysSince, ir.YearsSince, ir.InWindow)
"""Nodes that depend on as_of by themselves."""
_PERIODS = frozenset({"days", "weeks", "months", "years"})
_LIKE_TIME = frozenset({"first_time", "last_time"})
Pair = tuple[str, int]


def instants(
    leaves: Mapping[Pair, ir.Leaf],
    events: pl.DataFrame,
    since: datetime,
    now: State,
    finals: Mapping[int, pl.DataFrame],
) -> dict[Pair, datetime]:
    """(segment, subject) → the instant at which its condition became what it is; left out where it is not that simple.

    Args:
        leaves: (segment, subject) → the one condition that the clock changed.
        events: Of all these profiles, by the subject of the profile.
        since: As_of of the earlier evaluation.
        now: The later evaluation.
        finals: Of each condition, by its `id`, the answers at the later evaluation: ``subject``, ``final``.
    """
    import polars as pl

    # Conditions are large to compare, and few: each is one object.
    by_id = {id(leaf): leaf for leaf in leaves.values()}
    moved = {one: found for one, leaf in by_id.items() if one in finals and (found := shifts(leaf))}
    pairs = [(pair, id(leaf)) for pair, leaf in leaves.items() if id(leaf) in moved]
    numbers = {one: number for number, one in enumerate(moved)}
    frame = pl.DataFrame(
        [(at, subject, numbers[leaf]) for at, ((_, subject), leaf) in enumerate(pairs)],
        schema={"pair": pl.Int32, "subject": pl.Int32, "leaf": pl.Int32},
        orient="row",
    )
    tried = _candidates(frame, events, moved, since, now.as_of)
    if not tried.height:
        return {}
    at = dict(tried.group_by("pair").agg(pl.col("at").first()).iter_rows())
    several = tried.group_by("pair").agg("at").filter(pl.col("at").list.len() > 1).join(frame, on="pair")
    answers = [finals[one].with_columns(pl.lit(numbers[one], pl.Int32).alias("leaf")) for one in moved]
    several = several.join(pl.concat(answers), on=["subject", "leaf"], how="left").sort("pair")
    if several.height:
        at |= _searched(several, events, [by_id[one] for one in moved], now)
    return {pairs[number][0]: when for number, when in at.items()}


def shifts(leaf: ir.Leaf) -> list[tuple[tuple[str, ...], timedelta]] | None:
    """Event kinds, and how long after an event a window's bound passes it; None where not all are that simple."""
    found: list[tuple[tuple[str, ...], timedelta]] = []
    for node in walk(leaf.predicate):
        lengths: list[timedelta] | None = []
        kinds: tuple[str, ...] = ()
        if isinstance(node, ir.InWindow) and isinstance(node.value, ir.MetricValue) and not node.bounds:
            kinds = node.value.metric.kinds
            lengths = lengths_of(node.window) if node.value.metric.measure.function in _LIKE_TIME else None
        elif isinstance(node, (*CLOCKED, ir.EventTime, ir.EventTimePart, ir.Score, ir.Colleagues)) or is_consent(node):
            return None
        elif isinstance(node, ir.Metric | ir.Step):
            kinds = node.kinds
            lengths = None if node.bounds else lengths_of(node.window)
            if isinstance(node, ir.Metric) and node.measure.function in _PERIODS:
                return None
        if isinstance(node, ir.Sequence):
            kinds = tuple({kind for step in node.steps for kind in step.kinds})
            lengths = _exact([step.within for step in node.steps if step.negative and step.within is not None])
        if lengths is None or any(kind.startswith((HISTORY, RELATED)) for kind in kinds):
            return None
        found += [(kinds, length) for length in lengths]
    # An event that was known before its time changes the answer when its time comes.
    return found + [(kinds, timedelta(0)) for kinds, _ in found]


def _candidates(
    pairs: pl.DataFrame,
    events: pl.DataFrame,
    moved: Mapping[int, Sequence[tuple[tuple[str, ...], timedelta]]],
    since: datetime,
    until: datetime,
) -> pl.DataFrame:
    """``pair``, ``at``: the instants at which each pair's condition can have changed, in order."""
    import polars as pl

    passed = [(n, kind, length) for n, of in enumerate(moved.values()) for kinds, length in of for kind in kinds]
    schema = {"leaf": pl.Int32(), "kind": pl.String(), "length": pl.Duration("us")}
    shifted = pairs.join(pl.DataFrame(passed, schema=schema, orient="row"), on="leaf")
    found = shifted.join(events.select("subject", "ts", "kind"), on=["subject", "kind"])
    between = (pl.col("at") > since) & (pl.col("at") <= until)
    return found.select("pair", at=pl.col("ts") + pl.col("length")).filter(between).unique().sort("pair", "at")


def _searched(
    several: pl.DataFrame, events: pl.DataFrame, leaves: Sequence[ir.Leaf], now: State
) -> dict[int, datetime]:
    """The instant of each pair that has several to choose from."""
    import numpy as np
    import polars as pl

    asking = plan((), [Output(f"leaf:{number}", leaf.predicate) for number, leaf in enumerate(leaves)])
    profiles = now.read(asking)
    parts = []
    for number, leaf in enumerate(leaves):
        mine = several.filter(pl.col("leaf") == number).select("pair", "subject")
        kinds = kinds_of(set(walk(leaf.predicate)))
        parts.append(mine.join(events.filter(pl.col("kind").is_in(list(kinds))), on="subject").drop("subject"))
    rows = pl.concat(parts, how="diagonal_relaxed")

    def truth(trials: pl.DataFrame, behind: pl.Expr) -> NDArray[np.int8]:
        moved = trials.select("trial", "pair", behind.alias("behind")).join(rows, on="pair")
        moved = moved.with_columns(pl.col("ts") + pl.col("behind"), pl.col("trial").alias("subject"))
        data = copied(profiles, trials.select("trial", "subject"))
        data = replace(data, events=held_events(moved.drop("trial", "pair", "behind")))
        return _own(now.ask_again(asking, data).frame, trials)

    facts = several.select("pair", "subject", "leaf", "at", pl.col("final").cast(pl.Int8).fill_null(-1))

    def moves(trials: pl.DataFrame) -> NDArray[np.bool_]:
        trials = trials.join(facts, on="pair", how="left", maintain_order="left")
        found = truth(trials, pl.lit(now.as_of).cast(pl.Datetime("us", "UTC")) - pl.col("at").list.get(pl.col("point")))
        same: NDArray[np.bool_] = found == trials["final"].to_numpy()
        return same

    high = several["at"].list.len().to_numpy().astype(np.int64) - 1
    chosen = several["at"].list.get(pl.Series(searched(several["pair"], np.full(len(high), -1, np.int64), high, moves)))
    return dict(zip(several["pair"].to_list(), chosen.to_list(), strict=True))


def _own(frame: pl.DataFrame, trials: pl.DataFrame) -> NDArray[np.int8]:
    """The answer of each trial's own condition: 1, 0, or −1 for unknown."""
    import polars as pl

    found = trials.select("trial", "leaf").join(
        frame.rename({"subject": "trial"}), on="trial", how="left", maintain_order="left"
    )
    own = pl.coalesce(
        pl.when(pl.col("leaf") == int(c.removeprefix("leaf:"))).then(pl.col(c).cast(pl.Int8).fill_null(-1))
        for c in found.columns
        if c.startswith("leaf:")
    )
    answers: NDArray[np.int8] = found.select(own.alias("own"))["own"].fill_null(-1).to_numpy()
    return answers


def lengths_of(window: Window | None) -> list[timedelta] | None:
    """How long after an instant a window's bounds pass it; None where a length is not exact."""
    match window:
        case None:
            return []
        case WithinLast(length) | OlderThan(length):
            return _exact([length])
        case Between(RelativeTime(start, -1), RelativeTime(end, -1)):
            return _exact([one for one in (start, end) if one is not None])
        case Since(RelativeTime(length, -1)) | Before(RelativeTime(length, -1)) if length is not None:
            return _exact([length])
    return None


def _exact(lengths: Sequence[Duration]) -> list[timedelta] | None:
    if any(length.calendar or length.unit not in EXACT_SECONDS for length in lengths):
        return None
    return [timedelta(seconds=length.amount * EXACT_SECONDS[length.unit]) for length in lengths]
