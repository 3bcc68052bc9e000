"""Why two records are one person or not: what every field adds to the weight of the pair, in bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from segctl.identity.comparisons import MISSING
from segctl.identity.evidence import Scorer
from segctl.identity.fields import Records, prepared
from segctl.identity.fuzzy import FuzzyModel
from segctl.identity.pairs import Comparer, comparer
from segctl.identity.related import REASONS, household_reasons
from segctl.identity.scoring import Weights, probability
from segctl.model.errors import DataError

NOT_THERE = "missing"


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """What one field says.

    Attributes:
        field: Compared field.
        left: Its value in comparable form, None where missing.
        right: The same of the other record.
        level: Name of the level reached, or `missing`.
        bits: Weight of that level; 0 where missing.
        rarity: Added because the common value is rare, or taken away because it is frequent; in bits.
        m: Share of the level among pairs of one person; 0 where missing.
        u: Share of the level among pairs of two persons; 0 where missing.
    """

    field: str
    left: str | None
    right: str | None
    level: str
    bits: float
    rarity: float
    m: float
    u: float


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """The whole sum: `bits` = `prior_bits` + all fields' `bits` and `rarity`.

    Attributes:
        left: Record id.
        right: Record id.
        prior_bits: Odds before any comparison, log2; the same for every pair.
        fields: In the model's order.
        bits: The total.
        probability: That both are one person.
        household: Why they are two persons of one household, empty if nothing says so.
    """

    left: object
    right: object
    prior_bits: float
    fields: tuple[FieldEvidence, ...]
    bits: float
    probability: float
    household: str


def explain_pair(
    frame: pl.DataFrame, roles: Mapping[str, str], model: FuzzyModel, left: object, right: object,
    *, record: str = "record",
) -> PairEvidence:  # fmt: skip
    """The sum for one pair, by the model of a run over the same frame.

    Raises:
        DataError: The frame has no such record (SEG462).
    """
    return explain_pairs(frame, roles, model, [(left, right)], record=record)[0]


def explain_pairs(
    frame: pl.DataFrame, roles: Mapping[str, str], model: FuzzyModel, pairs: list[tuple[object, object]],
    *, record: str = "record",
) -> list[PairEvidence]:  # fmt: skip
    """The sums for several pairs; the records are prepared once.

    Args:
        frame: As given to `fuzzy.match`: how frequent a value is counts.
        roles: As given to `fuzzy.match`.
        model: `FuzzyResult.model`, or one read back with `model_from_dict`.
        pairs: Record ids.
        record: Column of the record id.

    Raises:
        DataError: The frame has no such record (SEG462), or other fields than the model (SEG463).
    """
    records = prepared(frame, roles, record, country=model.country, allowed=model.allowed)
    place = {record_id: at for at, record_id in enumerate(records.ids)}
    scorer = Scorer(_comparer(records, model), model.weights)
    return [_explained(scorer, (left, _place(place, left)), (right, _place(place, right))) for left, right in pairs]


def _place(place: dict[object, int], record: object) -> int:
    if record not in place:
        raise DataError("SEG462", f"there is no record `{record}`", hint="take ids of the frame that was matched")
    return place[record]


def _comparer(records: Records, model: FuzzyModel) -> Comparer:
    compares = comparer(records)
    if tuple((one.field, one.levels) for one in compares.comparisons) != tuple(
        zip(model.fields, model.levels, strict=True)
    ):
        raise DataError(
            "SEG463", "the records have other fields than those the weights were learnt from",
            hint="run `segctl dedupe --fuzzy` again",
        )  # fmt: skip
    return compares


def _explained(scorer: Scorer, left: tuple[object, int], right: tuple[object, int]) -> PairEvidence:
    a, b = np.array([left[1]], np.int32), np.array([right[1]], np.int32)
    compares = scorer.comparer
    levels = compares.levels(a, b)
    fields = tuple(_field(scorer, at, int(row[0]), left[1], right[1]) for at, row in enumerate(levels))
    total = float(scorer.weights.prior_bits + sum(one.bits + one.rarity for one in fields))
    return PairEvidence(
        left[0], right[0], scorer.weights.prior_bits, fields, total, float(probability(np.array([total]))[0]),
        REASONS[int(household_reasons(compares.comparisons, levels)[0])],
    )  # fmt: skip


def _field(scorer: Scorer, at: int, level: int, left: int, right: int) -> FieldEvidence:
    comparison = scorer.comparer.comparisons[at]
    field = scorer.comparer.records.fields[comparison.field]
    a, b = (field.values[code] if code >= 0 else None for code in (field.codes[left], field.codes[right]))
    if level == MISSING:
        return FieldEvidence(comparison.field, a, b, NOT_THERE, 0.0, 0.0, 0.0, 0.0)
    rarities = scorer.rarity[at]
    rarity = float(rarities[field.codes[left]]) if rarities is not None and level == comparison.equal else 0.0
    weights = scorer.weights
    return FieldEvidence(
        comparison.field, a, b, comparison.levels[level], float(weights.bits[at][level]), rarity,
        float(weights.m[at][level]), float(weights.u[at][level]),
    )  # fmt: skip


def model_to_dict(model: FuzzyModel) -> dict[str, object]:
    """The model as plain values, for JSON."""
    return {
        "fields": [
            {"field": field, "levels": list(levels), "m": m.tolist(), "u": u.tolist(), "bits": bits.tolist()}
            for field, levels, m, u, bits in zip(
                model.fields, model.levels, model.weights.m, model.weights.u, model.weights.bits, strict=True
            )
        ],
        "prior": model.weights.prior,
        "country": model.country,
        "allowed": list(model.allowed),
        "rules": [{"rule": rule, "pairs": pairs} for rule, pairs in model.rules],
    }


def model_from_dict(stored: Mapping[str, object]) -> FuzzyModel:
    """A model written by `model_to_dict`; the notes on dropped blocks stay with the run that made it."""
    fields, rules, prior, country = stored["fields"], stored["rules"], stored["prior"], stored["country"]
    if not (isinstance(fields, list) and isinstance(rules, list) and isinstance(prior, float)):
        raise TypeError("this is no stored model")
    shares = {key: tuple(np.array(one[key], np.float64) for one in fields) for key in ("m", "u", "bits")}
    allowed = stored.get("allowed")
    return FuzzyModel(
        tuple(one["field"] for one in fields), tuple(tuple(one["levels"]) for one in fields),
        Weights(shares["m"], shares["u"], shares["bits"], prior), tuple((one["rule"], one["pairs"]) for one in rules),
        (), None if country is None else str(country), tuple(allowed) if isinstance(allowed, list) else (),
    )  # fmt: skip
