"""How two values of a field are compared: an ordered set of levels, from `different` to `equal`.

A comparison sees distinct pairs of values that are both there and not equal; equality and absence are decided by
`pairs.py` from the codes alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist

from segctl.identity.fields import Coded, Codes, Records

Levels = NDArray[np.int8]
Compare = Callable[[Coded, Codes, Codes], Levels]

CLOSE = 0.92
SIMILAR = 0.80
MISSING = -1


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field with its levels.

    Attributes:
        field: Name of the coded field.
        levels: Names of the levels, the weakest agreement first; the last one is equality.
        compare: Level of each pair of different values.
        by_chance: Share of pairs of two persons that are equal, as far as one can say without seeing the records.
        by_frequency: Whether agreement on a rare value says more than on a frequent one.
    """

    field: str
    levels: tuple[str, ...]
    compare: Compare
    by_chance: float
    by_frequency: bool = False

    @property
    def equal(self) -> int:
        """The level of equality."""
        return len(self.levels) - 1


def comparisons_for(records: Records) -> tuple[Comparison, ...]:
    """The comparisons of the fields that are there, always in the same order."""
    dated = "birth_date" in records.fields
    found = []
    for field in records.fields:
        made = _TABLE.get(field.rstrip("0123456789").rstrip("_"))
        if made is not None and not (field == "birth_year" and dated):
            found.append(made(field))
    return tuple(found)


def _texts(values: list[str]) -> NDArray[np.object_]:
    return np.array(values, dtype=object)


def _similarity(texts: NDArray[np.object_], left: Codes, right: Codes) -> NDArray[np.float32]:
    """Jaro-Winkler similarity, 0 where it is below `SIMILAR`."""
    return cpdist(
        texts[left], texts[right], scorer=JaroWinkler.normalized_similarity, score_cutoff=SIMILAR, dtype=np.float32
    )


def _distance(texts: NDArray[np.object_], left: Codes, right: Codes, limit: int) -> NDArray[np.int32]:
    """Edit distance with transpositions, `limit` + 1 where it is greater."""
    return cpdist(texts[left], texts[right], scorer=OSA.distance, score_cutoff=limit, dtype=np.int32)


def _shapes(values: list[str]) -> NDArray[np.int64]:
    """Length of one word, -1 for several."""
    return np.array([len(value) if " " not in value else -1 for value in values], np.int64)


def _day_digits(values: list[str]) -> NDArray[np.uint8]:
    return np.array([list(value.encode()) for value in values], dtype=np.uint8)


def _numbers(values: list[str]) -> NDArray[np.int64]:
    return np.array([int(value) for value in values], np.int64)


def _heads(values: list[str]) -> NDArray[np.str_]:
    return np.array([value[:3] for value in values])


def _without_letters(values: list[str]) -> NDArray[np.str_]:
    """The number of a house without its letter; what has no number stays apart."""
    return np.array([value.rstrip("abcdefghijklmnopqrstuvwxyz") or "-" + value for value in values])


def _local_parts(values: list[str]) -> NDArray[np.object_]:
    return np.array([value.partition("@")[0] for value in values], dtype=object)


def _digits(values: list[str]) -> NDArray[np.object_]:
    return np.array(["".join(filter(str.isdigit, value.partition("@")[0])) for value in values], dtype=object)


def compare_texts(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 similar, 2 close."""
    similarity = _similarity(field.derived(_texts), left, right)
    return np.add(similarity >= SIMILAR, similarity >= CLOSE, dtype=np.int8)


def compare_names(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 similar, one slip of the pen or an initial, 2 close or a part of a double name in any order."""
    levels = compare_texts(field, left, right)
    shape = field.derived(_shapes)
    short = np.flatnonzero((levels == 0) & ((shape[left] == 1) | (shape[right] == 1)))
    for at in short:
        a, b = field.values[left[at]], field.values[right[at]]
        levels[at] = int(a[0] == b[0])
    unlike = np.flatnonzero((levels == 0) & (shape[left] != 1) & (shape[right] != 1))
    levels[unlike] = _distance(field.derived(_texts), left[unlike], right[unlike], 1) == 1
    for at in np.flatnonzero((levels < 2) & ((shape[left] < 0) | (shape[right] < 0))):
        a_tokens, b_tokens = set(field.values[left[at]].split()), set(field.values[right[at]].split())
        if a_tokens <= b_tokens or b_tokens <= a_tokens:
            levels[at] = 2
    return levels


def compare_dates(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 the same year, 2 two of day, month, year, 3 one digit, neighbours or day and month swapped."""
    digits = field.derived(_day_digits)
    a, b = digits[left], digits[right]
    differs = a != b
    year, month, day = differs[:, :4].any(1), differs[:, 4:6].any(1), differs[:, 6:].any(1)
    swapped = ~year & (a[:, 4:6] == b[:, 6:]).all(1) & (a[:, 6:] == b[:, 4:6]).all(1)
    wrong = differs.sum(1)
    neighbours = (wrong == 2) & ((a[:, :-1] == b[:, 1:]) & (a[:, 1:] == b[:, :-1]) & differs[:, :-1]).any(1)
    parts_equal = 3 - year.astype(np.int8) - month - day
    typo = (wrong == 1) | neighbours | swapped
    levels: Levels = np.select([typo, parts_equal == 2, ~year], [3, 2, 1], 0).astype(np.int8)
    return levels


def compare_years(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 one year or one digit apart."""
    years = field.derived(_numbers)
    apart = np.abs(years[left] - years[right])
    levels: Levels = ((apart == 1) | (_distance(field.derived(_texts), left, right, 1) == 1)).astype(np.int8)
    return levels


def compare_postcodes(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 the same area (the first three characters), 2 one character wrong or two swapped."""
    heads = field.derived(_heads)
    same_area = heads[left] == heads[right]
    levels: Levels = np.where(_distance(field.derived(_texts), left, right, 1) == 1, 2, same_area).astype(np.int8)
    return levels


def compare_house_numbers(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 one character wrong or the same number with another letter."""
    numbers = field.derived(_without_letters)
    levels: Levels = (
        (numbers[left] == numbers[right]) | (_distance(field.derived(_texts), left, right, 1) == 1)
    ).astype(np.int8)
    return levels


def compare_emails(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 a similar local part, 2 two letters wrong, 3 the same local part elsewhere.

    Digits are no letters: `anna17@a.de` and `anna19@a.de` are two addresses on purpose.
    """
    local, digits = field.derived(_local_parts), field.derived(_digits)
    similar = (_similarity(local, left, right) >= CLOSE).astype(np.int8)
    near = (_distance(field.derived(_texts), left, right, 2) <= 2) & (digits[left] == digits[right])
    levels: Levels = np.select([local[left] == local[right], near], [3, 2], similar).astype(np.int8)
    return levels


def compare_numbers(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 one digit wrong or two swapped."""
    levels: Levels = (_distance(field.derived(_texts), left, right, 1) == 1).astype(np.int8)
    return levels


def compare_words(field: Coded, left: Codes, right: Codes) -> Levels:
    """0 different, 1 close."""
    levels: Levels = (_similarity(field.derived(_texts), left, right) >= CLOSE).astype(np.int8)
    return levels


def never_similar(_: Coded, left: Codes, __: Codes) -> Levels:
    """0 different: unequal values have nothing in common."""
    return np.zeros(len(left), dtype=np.int8)


_NAMES = ("different", "similar", "close", "equal")
_DAYS = ("different", "same year", "two parts", "typo", "equal")
_MAILS = ("different", "similar", "typo", "same local part", "equal")
_CLOSE = ("different", "close", "equal")


def _telling(levels: tuple[str, ...], compare: Compare, by_chance: float) -> Callable[[str], Comparison]:
    """A comparison whose rare values tell more than its frequent ones."""
    return partial(Comparison, levels=levels, compare=compare, by_chance=by_chance, by_frequency=True)


_TABLE: dict[str, Callable[[str], Comparison]] = {
    "given": _telling(_NAMES, compare_names, 0.01),
    "surname": _telling(_NAMES, compare_names, 0.003),
    "birth_date": _telling(_DAYS, compare_dates, 0.0001),
    "birth_year": _telling(_CLOSE, compare_years, 0.02),
    "postcode": _telling(("different", "same area", "typo", "equal"), compare_postcodes, 0.002),
    "city": _telling(_NAMES, compare_texts, 0.03),
    "street": _telling(_NAMES, compare_texts, 0.003),
    "house_number": _telling(_CLOSE, compare_house_numbers, 0.02),
    "email": partial(Comparison, levels=_MAILS, compare=compare_emails, by_chance=0.00001),
    "phone": partial(Comparison, levels=("different", "typo", "equal"), compare=compare_numbers, by_chance=0.00002),
    "gender": partial(Comparison, levels=("different", "equal"), compare=never_similar, by_chance=0.5),
    "text": _telling(_CLOSE, compare_words, 0.03),
}
