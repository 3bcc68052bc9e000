"""Invented persons with the mistakes of real entry forms, seeded."""

from __future__ import annotations

import random

import polars as pl

GIVEN = ["Anna", "Bernd", "Çelik", "Dörte", "Emil", "Fritz", "Gül", "Hans", "Ines", "Jörg", "Käthe", "Lars", "Maria"]
SURNAMES = [
    "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann",
    "Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann", "Schwarz", "Krüger",
]  # fmt: skip
CITIES = ["Köln", "Berlin", "Bonn", "Ulm", "Mainz", "Trier"]
ROLES = {
    "first": "given_name", "last": "surname", "born": "birth_date", "zip": "postcode", "town": "city",
    "mail": "email", "tel": "phone", "road": "street", "no": "house_number",
}  # fmt: skip


def people(number: int, seed: int, *, copies: int = 2) -> pl.DataFrame:
    """Records of `number` persons, each with up to `copies` mistyped copies; `person` is the truth."""
    rng = random.Random(seed)
    rows = []
    for person in range(number):
        first, last = rng.choice(GIVEN), rng.choice(SURNAMES)
        row = {
            "first": first, "last": last,
            "born": f"{rng.randint(1930, 2005)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
            "zip": f"{rng.randint(1000, 99999):05}", "town": rng.choice(CITIES),
            "mail": f"{first}.{last}{person}@example.org".lower(), "tel": f"+4930{rng.randint(1000000, 9999999)}",
            "road": f"{rng.choice(SURNAMES)}straße", "no": str(rng.randint(1, 99)),
        }  # fmt: skip
        rows.append({"person": person, **row})
        rows.extend({"person": person, **mistyped(row, rng)} for _ in range(rng.randint(0, copies)))
    return pl.DataFrame(rows).with_row_index("record").with_columns(pl.col("record").cast(pl.Int64))


def mistyped(row: dict[str, str], rng: random.Random) -> dict[str, str | None]:
    """The row with one to three fields changed or lost."""
    changed: dict[str, str | None] = dict(row)
    for field in rng.sample(sorted(row), rng.randint(1, 3)):
        text = row[field]
        at = rng.randrange(len(text))
        changed[field] = rng.choice(
            [None, text[:at] + text[at + 1 :], text[:at] + rng.choice("aeiou19") + text[at + 1 :]]
        )
    return changed
