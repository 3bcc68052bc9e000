"""Persons by likeness: blocking, scores, average linkage, and three outcomes: match, review, related."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segctl.identity.blocking import DroppedBlock, Rule, candidates, rules_for
from segctl.identity.chance import chance
from segctl.identity.evidence import Compared, Counter, Scored, Scorer, compared, joined
from segctl.identity.fields import Records, coded, prepared
from segctl.identity.outcomes import pair_frame, strongest
from segctl.identity.pairs import Comparer, comparer
from segctl.identity.refine import Clusters, Known, refined
from segctl.identity.related import REASONS
from segctl.identity.scoring import Weights, learnt, session_of
from segctl.model.errors import DataError

Tick = Callable[[int, int], None]

BELOW = "not sure enough"
CUT = "alike, but not the rest of the cluster"
KNOWN_APART = "alike, but known to be two persons"


@dataclass(frozen=True, slots=True)
class FuzzySettings:
    """What can be set; the defaults are for all data alike.

    Attributes:
        link_bits: Weight from which a pair is a link; 0 bits are even odds.
        review_bits: Weight from which a pair that is no match is worth a look.
        cut_bits: Mean weight above which parts of a component are one person.
        max_block: Largest block that is compared all with all.
        pairs_per_record: Budget of pairs of each blocking rule.
        max_component: Components larger than this are first split at a higher weight.
        random_pairs: Pairs from which chance agreement is learnt.
        pairs_in_memory: Pairs that are kept between learning and scoring; more are made twice.
        sample: Where they are made twice, pairs of each blocking rule that are enough to learn from.
        chunk: Pairs compared at once.
        seed: Of the random pairs.
        country: ISO code of phone numbers without a country.
        allowed: E-mail addresses and phone numbers that are no placeholders; ``*`` stands for any characters.
    """

    link_bits: float = 0.0
    review_bits: float = -3.0
    cut_bits: float = -4.0
    max_block: int = 1_000
    pairs_per_record: int = 12
    max_component: int = 2_000
    random_pairs: int = 200_000
    pairs_in_memory: int = 4_000_000
    sample: int = 300_000
    chunk: int = 1_000_000
    seed: int = 20_250_101
    country: str | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constraints:
    """What is known and wins over every score.

    Attributes:
        group: Column of records that are one person already (by keys or decisions); null for none.
        one_each: Columns in which two records of one person never share a value, such as a source that is unique
            by itself; null for none.
        must_agree: Columns in which two different values are two persons, such as a tax number; null for none.
        cannot: Pairs of record ids that are two persons, columns `left` and `right`; wins over `group`.
    """

    group: str | None = None
    one_each: tuple[str, ...] = ()
    must_agree: tuple[str, ...] = ()
    cannot: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class FuzzyModel:
    """What was learnt from the records, without any of them.

    Attributes:
        fields: Compared fields in their order.
        levels: Names of the levels of each field, the weakest first.
        weights: Shares and bits of each level, and the prior.
        rules: Blocking rules with the number of their pairs.
        dropped: Blocks too large to compare.
        country: ISO code that phone numbers without a country were given.
        allowed: What was taken for no placeholder.
    """

    fields: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    weights: Weights
    rules: tuple[tuple[str, int], ...]
    dropped: tuple[DroppedBlock, ...]
    country: str | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FuzzyResult:
    """Who is one person, who may be, and who lives together. All frames are sorted.

    Attributes:
        clusters: One row per record: `record`, `cluster` (the smallest record id of the cluster).
        links: One row per record that is not the first of its cluster: `left`, `right` (record ids, left before
            right), `bits`, `probability`. They hold the clusters together; bits may be below the link where the rest
            of the cluster carries a record, or where a group is known.
        review: Pairs of two clusters that may be one, the strongest per two clusters: as `links`, with `why`.
        related: Pairs of one household that are never merged by likeness: as `review`.
        model: What was learnt.
    """

    clusters: pl.DataFrame
    links: pl.DataFrame
    review: pl.DataFrame
    related: pl.DataFrame
    model: FuzzyModel


def _silently(done: int, of: int) -> None:
    """Nobody looks on."""


def match(
    frame: pl.DataFrame,
    roles: Mapping[str, str],
    settings: FuzzySettings = FuzzySettings(),
    *,
    record: str = "record",
    constraints: Constraints = Constraints(),
    progress: Tick = _silently,
) -> FuzzyResult:
    """Clusters of records that are likely one person.

    Args:
        frame: One row per record: `record` (unique), the columns of `roles` and of the constraints.
        roles: Column → `fields.Role`; nothing else is looked at.
        settings: Thresholds and bounds.
        record: Column of the record id.
        constraints: What is known and wins.
        progress: Called after each chunk with the pairs done and the most there are.

    Raises:
        DataError: Record ids repeat (SEG460), or no column can be compared (SEG461).
    """
    records = prepared(frame, roles, record, country=settings.country, allowed=settings.allowed)
    compares = comparer(records)
    if not compares.comparisons:
        raise DataError(
            "SEG461", "no column can be compared", why="none with a role such as `surname` or `birth_date` has values",
            hint="give the columns of names, dates and addresses their roles",
        )  # fmt: skip
    rules = rules_for(records, max_block=settings.max_block, pairs_per_record=settings.pairs_per_record)
    known = _known(frame.sort(record), records, constraints)
    scorer, kept = _scored(compares, rules, settings, progress)
    apart = known.apart(kept.left, kept.right) | (kept.household > 0)
    links = kept.where((kept.bits >= settings.link_bits) & ~apart)
    found = refined(scorer, links, known, cut=settings.cut_bits, max_component=settings.max_component)
    model = _model(scorer, rules, settings)
    return _result(records, found, kept, known, settings, model)


def _model(scorer: Scorer, rules: tuple[Rule, ...], settings: FuzzySettings) -> FuzzyModel:
    comparisons = scorer.comparer.comparisons
    return FuzzyModel(
        fields=tuple(comparison.field for comparison in comparisons),
        levels=tuple(comparison.levels for comparison in comparisons),
        weights=scorer.weights,
        rules=tuple((rule.name, rule.pairs) for rule in rules),
        dropped=tuple(block for rule in rules for block in rule.dropped),
        country=settings.country,
        allowed=settings.allowed,
    )


def _scored(
    compares: Comparer, rules: tuple[Rule, ...], settings: FuzzySettings, progress: Tick
) -> tuple[Scorer, Scored]:
    """The learnt weights, and the candidates that may matter."""
    most = sum(rule.pairs for rule in rules)
    few = most <= settings.pairs_in_memory
    counter, chunks = Counter(len(rules)), []
    for part in compared(compares, rules, chunk=settings.chunk, sample=None if few else settings.sample):
        counter.add(part)
        if few:
            chunks.append(part)
    by_chance = chance(compares, samples=settings.random_pairs, seed=settings.seed)
    sessions = tuple(session_of(compares.records, rule.fields, rule.given_away) for rule in rules)
    scorer = Scorer(compares, learnt(compares, counter.counts(), sessions, by_chance))
    weighed = _weighed(scorer, chunks) if few else _weighed_anew(scorer, rules, settings)
    kept, done = [], 0
    for pairs, scored in weighed:
        kept.append(scored.where((scored.bits >= settings.review_bits) | (scored.household > 0)))
        done += pairs
        progress(done, most)
    return scorer, joined(kept)


def _weighed(scorer: Scorer, chunks: list[Compared]) -> Iterator[tuple[int, Scored]]:
    """Each chunk's number of pairs, and those pairs with their weights."""
    for chunk in chunks:
        yield len(chunk.place), scorer.weigh(chunk.pairs.left, chunk.pairs.right, chunk.patterns, chunk.place)


def _weighed_anew(scorer: Scorer, rules: tuple[Rule, ...], settings: FuzzySettings) -> Iterator[tuple[int, Scored]]:
    """The same for candidates made a second time rather than kept; those that cannot matter are not weighed."""
    for pairs in candidates(rules, settings.chunk):
        may = scorer.may_weigh(pairs.left, pairs.right, settings.review_bits)
        yield len(may), scorer.score(pairs.left[may], pairs.right[may])


def _known(frame: pl.DataFrame, records: Records, constraints: Constraints) -> Known:
    """Constraints by position in the sorted records."""

    def numbers(columns: tuple[str, ...]) -> NDArray[np.int32]:
        rows = [coded(frame[column].cast(pl.String)).codes for column in columns]
        return np.array(rows, np.int32).reshape(len(rows), len(records))

    group = numbers((constraints.group,))[0] if constraints.group else np.full(len(records), -1, np.int32)
    cannot = np.zeros(0, np.int64)
    if constraints.cannot is not None and len(constraints.cannot):
        place = pl.DataFrame({"id": records.ids, "at": np.arange(len(records))})
        pairs = constraints.cannot.join(place.rename({"id": "left", "at": "l"}), on="left").join(
            place.rename({"id": "right", "at": "r"}), on="right"
        )
        ends = pairs["l", "r"].to_numpy()
        cannot = np.unique(ends.min(1) * len(records) + ends.max(1))
    return Known(group, numbers(constraints.one_each), numbers(constraints.must_agree), cannot)


def _result(
    records: Records, found: Clusters, kept: Scored, known: Known, settings: FuzzySettings, model: FuzzyModel
) -> FuzzyResult:
    labels = found.labels
    between = kept.where(labels[kept.left] != labels[kept.right])
    household = between.where(between.household > 0)
    doubtful = between.where(between.household == 0)
    apart = known.apart(doubtful.left, doubtful.right)
    why = np.select([apart, doubtful.bits >= settings.link_bits], [KNOWN_APART, CUT], BELOW)
    decided = known.decided_apart(doubtful.left, doubtful.right)
    clusters = pl.DataFrame({"record": records.ids, "cluster": records.ids.gather(labels)})
    return FuzzyResult(
        clusters, pair_frame(records, found.links),
        strongest(pair_frame(records, doubtful.where(~decided), why[~decided]), clusters),
        strongest(pair_frame(records, household, np.array(REASONS)[household.household]), clusters), model,
    )  # fmt: skip
