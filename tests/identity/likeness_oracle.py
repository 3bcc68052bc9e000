"""Fellegi–Sunter written down as in the paper: plain Python, all pairs, one pair at a time."""

from __future__ import annotations

from math import log2

# Levels as the paper's "comparison vector"; -1 is missing.
Vector = tuple[int, ...]


def weight(vector: Vector, m: list[list[float]], u: list[list[float]], prior: float) -> float:
    """Odds in bits: the prior's, and for each field the log of the ratio of its level's probabilities."""
    total = log2(prior / (1 - prior))
    for level, of_match, of_other in zip(vector, m, u, strict=True):
        if level != -1:
            total += log2(of_match[level] / of_other[level])
    return total


def expectation_maximisation(
    vectors: list[Vector], start: list[list[float]], u: list[list[float]], *, worth: float, steps: int
) -> tuple[list[list[float]], float]:
    """`m` and the share of matches among these pairs, with `u` fixed and a prior worth some matches on `m`."""
    m, share = [list(row) for row in start], 0.2
    for _ in range(steps):
        odds = [2 ** weight(vector, m, u, share) for vector in vectors]
        chance = [one / (1 + one) for one in odds]
        after = []
        for field, row in enumerate(start):
            seen = [worth * guess for guess in row]
            for vector, probability in zip(vectors, chance, strict=True):
                if vector[field] != -1:
                    seen[vector[field]] += probability
            after.append([one / sum(seen) for one in seen])
        m, share = after, min(max(sum(chance) / len(chance), 1e-6), 1 - 1e-6)
    return m, share


def equal_by_chance(values: list[str | None]) -> float:
    """Share of equal pairs among those where both values are there."""
    pairs = [(a, b) for at, a in enumerate(values) for b in values[at + 1 :] if a is not None and b is not None]
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else 0.0


def edit_distance(a: str, b: str) -> int:
    """Edits and swaps of neighbours, each place touched once (optimal string alignment)."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            changed = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, changed)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


def jaro_winkler(a: str, b: str) -> float:
    """As Winkler defined it, with the bonus for a common beginning only above 0.7."""
    if a == b:
        return 1.0
    reach = max(max(len(a), len(b)) // 2 - 1, 0)
    taken = [False] * len(b)
    first = []
    for at, letter in enumerate(a):
        for other in range(max(0, at - reach), min(len(b), at + reach + 1)):
            if not taken[other] and b[other] == letter:
                taken[other] = True
                first.append(letter)
                break
    if not first:
        return 0.0
    second = [letter for letter, is_taken in zip(b, taken, strict=True) if is_taken]
    crossed = sum(x != y for x, y in zip(first, second, strict=True)) // 2
    jaro = (len(first) / len(a) + len(first) / len(b) + (len(first) - crossed) / len(first)) / 3
    common = 0
    for x, y in zip(a[:4], b[:4], strict=False):
        if x != y:
            break
        common += 1
    return jaro + common * 0.1 * (1 - jaro) if jaro > 0.7 else jaro
