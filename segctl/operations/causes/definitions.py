"""Moves that other rules make: a definition, a list, the settings, zone data or the program is not what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segctl import __version__
from segctl.operations.causes.details import lines
from segctl.operations.causes.others import ranks_by
from segctl.operations.causes.replay import Rules, ask_everybody, flags
from segctl.operations.causes.rules import Changed, with_old_lists
from segctl.operations.causes.words import cause

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.causes.chain import Side


def by_rules(
    pairs: pl.DataFrame, then: Side, now: Side, changed: Mapping[str, Changed]
) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """The pairs that other rules alone would have moved, with all else as it was.

    In order: zone data or the program, the definition, then one list after the other.

    Returns:
        Rows ``segment``, ``subject``, ``cause``, ``effective``; and the pairs that are left.
    """
    import polars as pl

    old = then.rules if then.rules is not now.rules else None
    made: list[pl.DataFrame] = []
    for name in pairs.filter("definition")["segment"].unique().sort():
        one, left = changed[name], pairs.filter(pl.col("segment") == name)
        stages: list[tuple[Rules, str]] = []
        if one.machine and old is not None:
            stages.append((old, cause(one.machine, __version__ if one.machine == "tool_changed" else "")))
        if one.definition is not None:
            stages.append((with_old_lists(now.rules, old, one.lists), cause("definition_changed", one.definition)))
        for at, changed_list in enumerate(one.lists):
            stages.append((with_old_lists(now.rules, old, one.lists[at + 1 :]), cause("list_changed", changed_list)))
        for rules, line in stages:
            if not left.height:
                break
            hit = left.filter(_flags(rules, then, name, left) == left["entered"])
            made.append(lines(hit, line, now.as_of))
            left = left.join(hit, on="subject", how="anti")
    done = pl.concat(
        [pairs.head(0).select("segment", "subject"), *(part.select("segment", "subject") for part in made)]
    )
    return made, pairs.join(done, on=["segment", "subject"], how="anti")


def _flags(rules: Rules, side: Side, name: str, pairs: pl.DataFrame) -> pl.Series:
    asked = ask_everybody(rules, side, [name], pairs["subject"].unique().to_list())
    return flags(asked, pairs, ranks_by(asked, rules, name, pairs))
