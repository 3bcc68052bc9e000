"""Which pairs are looked at: records that agree on a rule's fields, never all with all.

A rule sorts the records by its key; the pairs of a block follow from positions, so no pair is ever held that is
not asked for. A block that is too large is dropped from its rule and noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segctl.identity.fields import Codes, Records

Keys = NDArray[np.int64]

# Tried in this order; a rule stands when all of its fields are there.
_RULES = (
    ("email",),
    ("phone",),
    ("surname", "birth_date"),
    ("given", "birth_date"),
    ("name_tokens",),
    ("given_sound", "surname_sound"),
    ("surname_sound", "birth_year"),
    ("given_sound", "birth_year"),
    ("email_local",),
    ("postcode", "birth_date"),
    ("city", "birth_date"),
    ("text", "birth_date"),
    ("postcode", "surname_sound"),
    ("postcode", "given_sound"),
    ("city", "surname_sound"),
    ("city", "given_sound"),
    ("street", "house_number"),
    ("street", "birth_year"),
    ("street", "surname_sound"),
    ("street", "given_sound"),
)
# What a blocking field says about compared ones: these are not learnt from the rule's own pairs.
_SPEAKS_OF = {
    "name_tokens": ("given", "surname"),
    "given_sound": ("given",),
    "surname_sound": ("surname",),
    "birth_year": ("birth_date", "birth_year"),
    "email_local": ("email",),
}


@dataclass(frozen=True, slots=True)
class DroppedBlock:
    """A block too large to compare all with all.

    Attributes:
        rule: Fields of the rule, joined with ` + `.
        values: The values its records share.
        records: Records in the block.
    """

    rule: str
    values: tuple[str, ...]
    records: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A blocking rule applied to the records.

    Attributes:
        fields: Fields on which both records of a pair agree.
        keys: Key of each record, -1 where a field is missing or the block was dropped.
        order: Positions of the records with a key, sorted by it.
        ends: For each place in `order`, the place after the last record of its block.
        dropped: What was left out.
    """

    fields: tuple[str, ...]
    keys: Keys
    order: NDArray[np.int64]
    ends: NDArray[np.int64]
    dropped: tuple[DroppedBlock, ...]

    @property
    def name(self) -> str:
        """The fields in words."""
        return " + ".join(self.fields)

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return int((self.ends - np.arange(len(self.ends)) - 1).sum())

    @property
    def given_away(self) -> frozenset[str]:
        """Compared fields on which the rule's pairs agree by construction."""
        return frozenset(name for field in self.fields for name in _SPEAKS_OF.get(field, (field,)))


def rules_for(records: Records, *, max_block: int, pairs_per_record: int) -> tuple[Rule, ...]:
    """The rules for the fields that are there.

    Args:
        records: Prepared records.
        max_block: Largest block that is compared.
        pairs_per_record: Budget of a rule: its largest blocks are dropped until its pairs are at most this many
            times the number of records, so work grows with the records and never with their square.
    """
    return tuple(
        _rule(records, fields, max_block, pairs_per_record * max(len(records), 1_000))
        for fields in _RULES
        if all(field in records.fields for field in fields)
    )


def _rule(records: Records, fields: tuple[str, ...], max_block: int, budget: int) -> Rule:
    keys = _combined([records.fields[field].codes for field in fields])
    order = np.argsort(keys, kind="stable")
    order = order[np.searchsorted(keys[order], 0) :]
    starts = np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0]) if len(order) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(order)])
    kept = _within(sizes, max_block, budget)
    dropped = tuple(
        DroppedBlock(" + ".join(fields), _values(records, fields, int(order[starts[at]])), int(sizes[at]))
        for at in np.flatnonzero(~kept)
    )
    keys = keys.copy()
    keys[order[np.repeat(~kept, sizes)]] = -1
    worth = kept & (sizes > 1)
    order = order[np.repeat(worth, sizes)]
    return Rule(fields, keys, order, np.repeat(np.cumsum(sizes[worth]), sizes[worth]), dropped)


def _combined(codes: list[Codes]) -> Keys:
    """One number per combination, -1 where a part is missing."""
    keys = codes[0].astype(np.int64)
    for part in codes[1:]:
        # Two fields have fewer than 2³¹ values each: the product fits 64 bits.
        keys = np.where((keys < 0) | (part < 0), -1, keys * (int(part.max(initial=0)) + 1) + part)
    return keys


def _within(sizes: NDArray[np.int64], max_block: int, budget: int) -> NDArray[np.bool_]:
    """Whether a block stays: blocks of one size stay or go together, the smaller ones first."""
    by_size = np.bincount(sizes, minlength=1)
    each = np.arange(len(by_size), dtype=np.int64)
    fits = (np.cumsum(by_size * each * (each - 1) // 2) <= budget) & (each <= max_block)
    return fits[sizes]


def _values(records: Records, fields: tuple[str, ...], record: int) -> tuple[str, ...]:
    return tuple(records.fields[field].values[records.fields[field].codes[record]] for field in fields)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of one rule that no earlier rule has.

    Attributes:
        left: Position of the first record, always less than `right`.
        right: Position of the second record.
        rules: Bit k is set when the pair agrees on rule k.
        times: How many pairs each of them stands for.
    """

    left: Codes
    right: Codes
    rules: NDArray[np.int64]
    times: int = 1


def candidates(rules: tuple[Rule, ...], chunk: int = 1_000_000, sample: int | None = None) -> Iterator[Candidates]:
    """Every pair that some rule proposes, once, in chunks of at most about `chunk` pairs, in a fixed order.

    Args:
        rules: The rules; an earlier one keeps its pairs from the later.
        chunk: Most pairs made at once.
        sample: About how many pairs of each rule are enough, taken from all over the rule; all without it.
    """
    for at, rule in enumerate(rules):
        times = max(rule.pairs // sample, 1) if sample else 1
        size = chunk if times == 1 or sample is None else max(sample // 20, 1)
        for number, (left, right) in enumerate(_chunks(rule, size)):
            if number % times == 0:
                yield _candidates(rules, at, left, right, times)


def _candidates(rules: tuple[Rule, ...], at: int, left: Codes, right: Codes, times: int) -> Candidates:
    """Those of one rule's pairs that no earlier rule has, with the later rules they agree on."""
    for earlier in rules[:at]:
        new = ~_agree(earlier, left, right)
        left, right = left[new], right[new]
    bits = np.full(len(left), 1 << at, np.int64)
    for k in range(at + 1, len(rules)):
        bits |= _agree(rules[k], left, right).astype(np.int64) << k
    return Candidates(left, right, bits, times)


def _agree(rule: Rule, left: Codes, right: Codes) -> NDArray[np.bool_]:
    """Whether each pair is one of the rule's."""
    keys = rule.keys[left]
    agree: NDArray[np.bool_] = (keys == rule.keys[right]) & (keys >= 0)
    return agree


def _chunks(rule: Rule, chunk: int) -> Iterator[tuple[Codes, Codes]]:
    places = np.arange(len(rule.order))
    partners = rule.ends - places - 1
    reached = np.r_[0, np.cumsum(partners)]
    start = 0
    while start < len(places):
        stop = max(start + 1, int(np.searchsorted(reached, reached[start] + chunk, "right")) - 1)
        count = partners[start:stop]
        first = np.repeat(places[start:stop], count)
        offset = np.arange(len(first)) - np.repeat(reached[start:stop] - reached[start], count)
        a, b = rule.order[first], rule.order[first + 1 + offset]
        if len(a):
            yield np.minimum(a, b).astype(np.int32), np.maximum(a, b).astype(np.int32)
        start = stop
