"""Which event moved a profile: the first of the new ones, in event order, with which the answer is the new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.operations.causes.reach import kinds_of
from segctl.operations.causes.replay import asked_plan, flags, read_by
from segctl.operations.causes.rows import early_events, held_events
from segctl.operations.causes.words import KINDS

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.engines.base import EngineInput
    from segctl.operations.causes.chain import Hit
    from segctl.operations.causes.rows import Parts

MOST_TRIED = 20_000
"""For so many pairs with several new events each is tried; for others the last one is named."""
_POINTS = 7
_LITTLE_MORE = 1.3
"""Times the work of one round: a further round costs about as much, however few are left."""
_ORDER = ("ts", "source", "event_id")


def arrived(hit: Hit, parts: Parts, owners: pl.Series | None, *, then: datetime, now: datetime) -> pl.DataFrame:
    """``segment``, ``subject``, ``cause``, ``effective`` of pairs that a new event moved.

    Args:
        hit: Of the kinds ``event_arrived`` and ``late_event``.
        parts: The rows of the profiles.
        owners: Subject → subject of its profile.
        then: As_of of the earlier evaluation.
        now: As_of of the later one.
    """
    import polars as pl

    word = "fresh" if hit.kind == "event_arrived" else "late"
    pairs = hit.pairs.select("segment", "subject", "entered").with_row_index("pair")
    new = _owned(parts.new_events.filter(pl.col("part") == word), owners)
    candidates = _ordered(_relevant(hit, pairs, new))
    several = candidates.group_by("pair").len().filter(pl.col("len") > 1).join(pairs, on="pair").sort("pair")
    several = several.filter(~pl.col("segment").is_in(_ranked(hit))).head(MOST_TRIED)
    rank = {}
    if several.height:
        rank = _tried(hit, parts, owners, several, candidates, then)
    chosen = pl.DataFrame(
        {"pair": list(rank), "chosen": list(rank.values())}, schema={"pair": pl.UInt32, "chosen": pl.Int64}
    )
    last = candidates.group_by("pair").agg(pl.col("rank").max())
    picked = last.join(chosen, on="pair", how="left").select("pair", rank=pl.coalesce("chosen", "rank"))
    found = pairs.join(picked.join(candidates, on=["pair", "rank"]), on="pair", how="left", suffix=":event")
    # What needed the clock as well came later than the event; when exactly is not asked.
    at = pl.lit(now).cast(pl.Datetime("us", "UTC"))
    is_instant = (pl.col("ts") > then) & (pl.col("ts") <= now) & pl.lit(hit.is_early)
    return found.select(
        "segment",
        "subject",
        event_line(hit.kind).alias("cause"),
        pl.when(is_instant).then("ts").otherwise(at).alias("effective"),
    )


def mended(hit: Hit, parts: Parts, owners: pl.Series | None, now: datetime) -> pl.DataFrame:
    """The same of pairs that removed or replaced events moved: the last is named, and how many others there are."""
    import polars as pl

    pairs = hit.pairs.select("segment", "subject").with_row_index("pair")
    old = _owned(parts.old_events, owners)
    candidates = _ordered(_relevant(hit, pairs, old))
    last = candidates.filter(pl.col("rank") == pl.col("rank").max().over("pair"))
    last = last.with_columns(pl.when(pl.col("rank") > 0).then(pl.format(" and {} more", "rank")).alias("further"))
    again = parts.new_events.select("source", "event_id").unique().with_columns(is_replaced=pl.lit(value=True))
    found = pairs.join(last, on="pair", how="left", suffix=":event")
    found = found.join(again, on=["source", "event_id"], how="left")
    line = pl.when("is_replaced").then(event_line("event_replaced")).otherwise(event_line("event_removed"))
    at = pl.lit(now).cast(pl.Datetime("us", "UTC"))
    said = line + pl.col("further").fill_null("")
    return found.select("segment", "subject", said.alias("cause"), at.alias("effective"))


def event_line(kind: str) -> pl.Expr:
    """The cause of rows with the columns of an event."""
    import polars as pl

    between = " " if kind == "event_arrived" else ": "
    # An id that was made of the content says nothing to people.
    own = pl.col("event_id").fill_null("~")
    shown = own.str.replace_all(r"[\p{C}]", " ").str.slice(0, 60)
    origin = pl.when(own.str.starts_with("~")).then(pl.col("source")).otherwise(pl.format("{} #{}", "source", shown))
    at = pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    said = pl.format(f"{KINDS[kind][0]}{between}{{}} {{}} ({{}})", "kind", at, origin)
    return pl.when(pl.col("kind").is_null()).then(pl.lit(KINDS[kind][0])).otherwise(said)


def _owned(rows: pl.DataFrame, owners: pl.Series | None) -> pl.DataFrame:
    return rows if owners is None else rows.with_columns(owners.gather(rows["subject"]).alias("subject"))


def _ranked(hit: Hit) -> list[str]:
    outputs = [] if hit.asked is None else [output.name for output in hit.asked.asking.outputs]
    return [name.removeprefix("by:") for name in outputs if name.startswith("by:")]


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of `_relevant` with ``rank`` from 0."""
    import polars as pl

    ordered = rows.sort("pair", *_ORDER)
    return ordered.with_columns((pl.int_range(pl.len(), dtype=pl.Int64).over("pair")).alias("rank"))


def _relevant(hit: Hit, pairs: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Events of the kinds that each pair's segment reads: ``pair``, and the event's columns."""
    import polars as pl

    assert hit.asked is not None, "what moved a pair was asked"
    names = pairs["segment"].unique().to_list()
    read = [(name, kind) for name in names for kind in sorted(kinds_of(read_by(hit.asked.asking, name)))]
    kinds = pl.DataFrame(read, schema={"segment": pl.String, "kind": pl.String}, orient="row")
    wanted = pairs.select("pair", "subject", "segment").join(kinds, on="segment").drop("segment")
    return wanted.join(rows, on=["subject", "kind"])


def _tried(
    hit: Hit,
    parts: Parts,
    owners: pl.Series | None,
    pairs: pl.DataFrame,
    candidates: pl.DataFrame,
    then: datetime,
) -> dict[int, int]:
    """Rank of the event that moved each pair: every trial is a profile of its own here."""
    import numpy as np
    import polars as pl

    asking = asked_plan(hit.after.rules, pairs["segment"].unique().sort().to_list())
    profiles = hit.before.read(asking)
    early = hit.is_early and hit.kind == "event_arrived"
    earlier = parts.new_events.filter(
        pl.col("part") == "mended" if hit.kind == "late_event" else pl.col("part") != "fresh"
    )
    before = [parts.events, earlier]
    known = pl.concat([frame.drop("part", strict=False) for frame in before], how="diagonal_relaxed")
    known = _relevant(hit, pairs.select("pair", "segment", "subject"), _owned(known, owners))
    tried = candidates.join(pairs.select("pair"), on="pair", how="semi").drop("part", strict=False)

    def moves(trials: pl.DataFrame) -> NDArray[np.bool_]:
        trials = trials.join(pairs, on="pair", how="left", maintain_order="left")
        own = trials.select("trial", "pair", "subject", "point")
        rows = own.select("trial", "pair").join(known, on="pair")
        some = own.select("trial", "pair", "point").join(tried, on="pair").filter(pl.col("rank") < pl.col("point"))
        some = some.with_columns(pl.col("trial").alias("subject")).drop("rank", "point", "trial", "pair")
        some = early_events(some, then) if early else some
        rows = rows.with_columns(pl.col("trial").alias("subject")).drop("trial", "pair")
        data = replace(copied(profiles, own), events=(*held_events(rows), *held_events(some)))
        asked = hit.after.ask_again(asking, data)
        found = flags(asked, trials.select("segment", subject="trial"), {}) == trials["entered"]
        return found.to_numpy()

    low, high = np.zeros(pairs.height, np.int64), pairs["len"].to_numpy().astype(np.int64)
    found = searched(pairs["pair"], low, high, moves)
    return dict(zip(pairs["pair"].to_list(), (found - 1).tolist(), strict=True))


def searched(
    pairs: pl.Series,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    moves: Callable[[pl.DataFrame], NDArray[np.bool_]],
) -> NDArray[np.int64]:
    """For each pair a number above `low`, at most `high`, that moves it while the number before does not.

    Args:
        pairs: Numbers of the pairs.
        low: Known not to move.
        high: Known to move.
        moves: Asked of ``trial`` (Int32, unique), ``pair``, ``point``; several points of a pair at once.
    """
    import numpy as np
    import polars as pl

    low, high = low.copy(), high.copy()
    while (high - low > 1).any():
        open_ = np.flatnonzero(high - low > 1)
        number = _points((high - low)[open_] - 1)
        parts = np.arange(1, number + 1)
        points = low[open_, None] + (high - low)[open_, None] * parts // (number + 1)
        at = np.repeat(open_, number)
        frame = pl.DataFrame({"at": at, "point": points.ravel(), "pair": pairs.gather(at)})
        inside = (frame["point"].to_numpy() > low[at]) & (frame["point"].to_numpy() < high[at])
        frame = frame.filter(pl.Series(inside)).unique(["at", "point"], maintain_order=True)
        trials = frame.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("trial"), "pair", "point")
        found = frame.with_columns(pl.Series("moved", moves(trials)))
        first = found.filter("moved").group_by("at").agg(pl.col("point").min().alias("first"))
        found = found.join(first, on="at", how="left")
        below = pl.col("first").is_null() | (pl.col("point") < pl.col("first"))
        last = found.filter(below).group_by("at").agg(pl.col("point").max().alias("last"))
        high[first["at"].to_numpy()] = first["first"].to_numpy()
        low[last["at"].to_numpy()] = last["last"].to_numpy()
    return high


def _points(between: NDArray[np.int64]) -> int:
    """How many points of each pair are tried in one round: all of them where that is little more work than some."""
    import numpy as np

    everything, some = int(between.sum()), int(np.minimum(between, _POINTS).sum())
    return int(between.max()) if everything <= _LITTLE_MORE * some else _POINTS


def copied(data: EngineInput, own: pl.DataFrame) -> EngineInput:
    """The input with one profile for every trial: ``trial``, ``subject``."""

    def copies(frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        found = frame.join(own.select("subject", "trial"), on="subject").with_columns(pl.col("trial").alias("subject"))
        return found.drop("trial").sort("subject", maintain_order=True)

    return replace(
        data,
        profiles=copies(data.profiles),
        canonical=None,
        changes={name: copies(frame) for name, frame in data.changes.items()},
        related={name: copies(frame) for name, frame in data.related.items()},
    )
