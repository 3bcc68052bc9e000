"""Rows are found by their tokens and by nothing less."""

from __future__ import annotations

import random

from segctl.consent.ledger import Ledger
from segctl.consent.shapes import Shape, shape_text

MASK = 2**64 - 1
SAID = {
    action: shape_text(Shape(action, "news", "email", None, None, None, None, 1, 0, 0, "import", None, None))
    for action in ("grant", "withdraw")
}


def alike(number: int, hashed: int) -> bytes:
    """Different tokens of one hash."""
    first = hashed ^ (number * 0x9E3779B97F4A7C15 & MASK)
    return first.to_bytes(8, "little") + number.to_bytes(8, "little")


def test_tokens_of_one_hash_are_told_apart() -> None:
    dice = random.Random(5)
    tokens = [alike(number, hashed) for number in range(6) for hashed in (0, 7, MASK)]
    rows = [
        (n, n * 10, None, dice.choice(tokens), dice.choice(tokens), SAID[dice.choice(["grant", "withdraw"])])
        for n in range(1, 300)
    ]
    ledger, half = Ledger(), len(rows) // 2
    ledger.add(rows[:half])
    concerned = ledger.add(rows[half:], void={3, 4})
    points = [exact + wide for exact in (*tokens, alike(9, 0)) for wide in (tokens[0], alike(8, 7))]

    found = ledger.rows(points)

    expected = [
        (i, row[1])
        for i, point in enumerate(points)
        for row in rows
        if row[0] not in (3, 4) and (point[:16] == row[3] if row[5] == SAID["grant"] else point[16:] == row[4])
    ]
    assert sorted(zip(found.points.tolist(), found.at.tolist(), strict=True)) == sorted(expected)
    assert concerned == {token for row in rows[half:] for token in row[3:5]}
    withdrawn = [code for code, shape in enumerate(ledger.shapes) if shape.action == "withdraw"]
    taken = [row for row in rows if row[5] == SAID["withdraw"] and row[0] not in (3, 4)]
    assert ledger.wides(withdrawn) == {row[4] for row in taken}
