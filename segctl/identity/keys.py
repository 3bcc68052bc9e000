"""Keys: what recognises people, in comparable form, and which identities share one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segctl.identity import normalise
from segctl.identity.phones import UNKNOWN, phone_keys
from segctl.model.identity import KeyRule

_SEEDS = (11, 23)
"""Two hashes of 64 bits: what shares both is equal, for as many values as fit a computer."""


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Who has which value of one kind of key; an identity may have several values, and a row may come twice.

    Attributes:
        nodes: Identities by number, Int32, one per row.
        values: Their keys in comparable form, String without nulls, as long as `nodes`.
        weak: Rows that are weak evidence although the rule is strong, such as ``info@``; None for no row.
        invalid: Rows left out because their value is none of this kind.
    """

    rule: KeyRule
    nodes: NDArray[np.int64]
    values: pl.Series
    weak: NDArray[np.bool_] | None = None
    invalid: int = 0


@dataclass(frozen=True, slots=True)
class Groups:
    """Identities that share a value, one row for each identity of each group; sorted by group, then identity.

    Attributes:
        nodes: Identity of each row.
        groups: Number of its group, from 0 without gaps; it does not depend on the order of the input.
        sizes: Identities of each group, position = group, at least 2.
        values: The value that each group shares.
        weak: Groups whose value is weak evidence.
    """

    nodes: NDArray[np.int64]
    groups: NDArray[np.int64]
    sizes: NDArray[np.int64]
    values: pl.Series
    weak: NDArray[np.bool_]

    def without(self, dropped: NDArray[np.bool_]) -> Groups:
        """The groups that are not marked, numbered anew."""
        kept = ~dropped
        rows = kept[self.groups]
        number = np.cumsum(kept) - 1
        return Groups(
            self.nodes[rows], number[self.groups[rows]], self.sizes[kept], self.values.filter(pl.Series(kept)),
            self.weak[kept],
        )  # fmt: skip


def key_values(
    rule: KeyRule,
    nodes: pl.Series,
    columns: Sequence[pl.Series],
    *,
    countries: pl.Series | None = None,
    country: str | None = None,
    sources: pl.Series | None = None,
) -> KeyValues:
    """Values as written to keys.

    Args:
        rule: Says the form.
        nodes: Identity of each row.
        columns: One, or those that make a key together: for an address street, house number and postcode (or
            street with the number in it, and postcode).
        countries: ISO code of each row, for phone numbers and addresses.
        country: ISO code of rows without one.
        sources: Source of each row, for keys that hold within a source only.
    """
    keys = _comparable(rule, columns, countries, country)
    written = columns[0].cast(pl.String).is_not_null()
    kept = keys.is_not_null()
    invalid = int((written & ~kept).sum())
    if invalid or not kept.all():
        nodes, keys = nodes.filter(kept), keys.filter(kept)
        sources = None if sources is None else sources.filter(kept)
    weak = normalise.is_role(keys) if rule.form == "email" else None
    if rule.form == "phone":
        weak = keys.str.starts_with(UNKNOWN)
    if rule.scope == "source" and sources is not None:
        keys = sources + "\x1f" + keys
    flags = None if weak is None or not weak.any() else weak.to_numpy()
    return KeyValues(rule, nodes.to_numpy().astype(np.int64), keys, flags, invalid)


def joined_values(parts: Sequence[KeyValues]) -> KeyValues:
    """Values of one kind from several places."""
    if len(parts) == 1:
        return parts[0]
    flags = [np.zeros(len(p.nodes), dtype=np.bool_) if p.weak is None else p.weak for p in parts]
    return KeyValues(
        parts[0].rule,
        np.concatenate([p.nodes for p in parts]),
        pl.concat([p.values.alias("") for p in parts]),
        np.concatenate(flags) if any(p.weak is not None for p in parts) else None,
        sum(p.invalid for p in parts),
    )


def value_labels(values: pl.Series) -> NDArray[np.uint64]:
    """A number for each value: equal for equal values in this process, and different for others."""
    return values.hash(_SEEDS[0]).to_numpy()


def shared(keys: KeyValues) -> Groups:
    """The groups of identities that share a value."""
    marks = value_labels(keys.values)
    order = np.argsort(marks)
    sorted_marks = marks[order]
    same = sorted_marks[1:] == sorted_marks[:-1]
    in_group = np.zeros(len(order), dtype=np.bool_)
    in_group[1:] |= same
    in_group[:-1] |= same
    rows = order[in_group]
    if not len(rows):
        nothing = np.empty(0, dtype=np.int64)
        return Groups(nothing, nothing, nothing, keys.values.clear(), nothing.astype(np.bool_))
    first = sorted_marks[in_group]
    second = keys.values.gather(rows).hash(_SEEDS[1]).to_numpy()
    return _groups(keys, rows, first, second)


def _groups(keys: KeyValues, rows: NDArray[np.int64], first: NDArray[np.uint64], second: NDArray[np.uint64]) -> Groups:
    nodes = keys.nodes[rows]
    run = np.cumsum(np.diff(first, prepend=first[:1]) != 0)
    heads = np.flatnonzero(np.diff(run, prepend=-1))
    if (second != second[heads][run]).any():
        # Two values with one hash stand in one run: the other hash tells them apart.
        order = np.lexsort((nodes, second, first))
    else:
        order = np.argsort(run * (int(nodes.max()) + 1) + nodes)
    first, second, nodes, rows = first[order], second[order], nodes[order], rows[order]
    starts = np.ones(len(rows), dtype=np.bool_)
    starts[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    fresh = starts.copy()
    fresh[1:] |= nodes[1:] != nodes[:-1]
    # An identity that has the value twice is one identity.
    group = (np.cumsum(starts) - 1)[fresh]
    nodes, rows = nodes[fresh], rows[fresh]
    sizes = np.bincount(group)
    several = sizes > 1
    kept = several[group]
    number = np.cumsum(several) - 1
    group, nodes, rows = number[group[kept]], nodes[kept], rows[kept]
    heads = rows[np.flatnonzero(np.diff(group, prepend=-1))]
    weak = np.zeros(len(heads), dtype=np.bool_) if keys.weak is None else keys.weak[heads]
    return Groups(nodes, group, sizes[several], keys.values.gather(heads), weak)


def _comparable(
    rule: KeyRule, columns: Sequence[pl.Series], countries: pl.Series | None, country: str | None
) -> pl.Series:
    if rule.form == "email":
        return normalise.email_keys(columns[0])
    if rule.form == "phone":
        return phone_keys(columns[0], countries, country)
    if rule.form == "address":
        filled = pl.Series([country], dtype=pl.String).new_from_index(0, len(columns[0]))
        here = filled if countries is None else countries.fill_null(filled)
        return normalise.address_keys(columns[0], columns[1] if len(columns) > 2 else None, columns[-1], here)
    if rule.form == "name" or len(columns) > 1:
        return normalise.name_keys(columns)
    return normalise.text_keys(columns[0])
