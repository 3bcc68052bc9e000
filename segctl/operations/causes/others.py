"""How everybody else stands beside those of whom a move is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.operations.causes.chain import Others
from segctl.operations.causes.details import lines
from segctl.operations.causes.ranks import Ranks
from segctl.operations.causes.replay import ages, ask_everybody, beside_at, read_by
from segctl.operations.causes.words import cause
from segctl.operations.people import ids_of

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.causes.chain import Hit, Side
    from segctl.operations.causes.replay import Asked, Rules


def others(pairs: pl.DataFrame, then: Side, now: Side, ranks: Mapping[str, Ranks]) -> tuple[Others, Others, Others]:
    """Everybody else at the earlier instant, as the clock alone made them, and now.

    Only values that age with the clock are asked for again; with others everybody else stands as now throughout.

    Args:
        pairs: ``segment`` and ``subject`` of those that are ranked.
        then: What the earlier evaluation knew.
        now: What the later one knew, with everybody's values of today.
        ranks: Segments that keep the best, of today.
    """
    today = Others(now.beside, ranks)
    if then.as_of == now.as_of:
        return today, today, today
    return (_as_known(today, then, now, pairs), _as_known(today, replace(then, as_of=now.as_of), now, pairs), today)


def ranks_by(asked: Asked, rules: Rules, name: str, pairs: pl.DataFrame) -> dict[str, Ranks]:
    """The ranks of a segment in answers of everybody; none where it keeps nobody."""
    lowered = rules.lowered(name)
    if lowered is None or lowered.keep is None:
        return {}
    frame = asked.frame.rename({f"{part}:{name}": part for part in ("where", "by", "per")}, strict=False)
    return {name: Ranks(lowered.keep, pairs["subject"], frame, partial(ids_of, rules.session.workspace))}


def displaced(hit: Hit, now: Side) -> pl.DataFrame:
    """``segment``, ``subject``, ``cause``, ``effective`` of pairs that others moved: by rank, or as colleagues."""
    import polars as pl

    assert hit.asked is not None, "what moved a pair was asked"
    social = []
    for name in hit.pairs["segment"].unique():
        nodes = read_by(hit.asked.asking, name)
        is_ranked = f"by:{name}" in hit.asked.frame.columns or any(isinstance(node, ir.Score) for node in nodes)
        social += [] if is_ranked else [name]
    by_rank = pl.when("entered").then(pl.lit(cause("others_around"))).otherwise(pl.lit(cause("others_moved")))
    line = pl.when(pl.col("segment").is_in(social)).then(pl.lit(cause("colleagues_changed"))).otherwise(by_rank)
    return lines(hit.pairs, line, now.as_of)


def _as_known(today: Others, side: Side, now: Side, pairs: pl.DataFrame) -> Others:
    names = pairs["segment"].unique().sort().to_list()
    same = {node: values for node, values in today.beside.items() if not ages(node)}
    beside = today.beside if len(same) == len(today.beside) else beside_at(side, (now.rules, side.rules), names, same)
    ranks = dict(today.ranks)
    for name in ranks:
        lowered = now.rules.lowered(name)
        if lowered is not None and lowered.keep is not None and ages(lowered.keep.by):
            mine = pairs.filter(segment=name)
            asked = ask_everybody(now.rules, side, [name], mine["subject"].unique().to_list())
            ranks |= ranks_by(asked, now.rules, name, mine)
    return Others(beside, ranks)
