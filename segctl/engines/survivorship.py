"""Which value of a trait survives among the records of one profile, as expressions inside a group."""

from __future__ import annotations

import polars as pl

from segctl.model.identity import Survivorship


def survivor(value: pl.Expr, rule: Survivorship) -> pl.Expr:
    """The surviving value of a group whose rows come oldest first; null when no row has one.

    Args:
        value: The trait; a null has no say.
        rule: Its rule; `source` names the column that sources of trust are looked up in.
    """
    present = value.drop_nulls()
    if rule.sources:
        trust = pl.col("source").replace_strict(
            {name: at for at, name in enumerate(rule.sources)}, default=len(rule.sources), return_dtype=pl.Int32
        )
        trusted = trust == trust.filter(value.is_not_null()).min()
        present = value.filter(value.is_not_null() & trusted)
    if rule.rule == "first":
        return present.first()
    if rule.rule == "longest":
        return present.sort_by(present.str.len_chars(), maintain_order=True).last()
    if rule.rule == "most_frequent":
        # Backwards, so that of equally frequent values the latest comes first.
        back = present.reverse()
        return back.unique(maintain_order=True).get(back.unique_counts().arg_max(), null_on_oob=True)
    if rule.rule == "least_permissive":
        return _least_permissive(present, rule)
    if rule.rule == "all":
        together = present.explode().unique(maintain_order=True).implode()
        return pl.when(present.len() > 1).then(together).otherwise(present.last())
    return present.last()


def _least_permissive(present: pl.Expr, rule: Survivorship) -> pl.Expr:
    if not rule.order:
        return present.min()
    # A value that nobody has ranked permits nothing that anybody knows of.
    places = {word: at for at, word in enumerate(rule.order)}
    permits = present.replace_strict(places, default=-1, return_dtype=pl.Int32)
    return present.filter(permits == permits.min()).last()
