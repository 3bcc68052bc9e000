"""Codes of `overlap` (SEG590–SEG599)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG590": Entry(
        "fewer than two segments, or too many, to compare",
        "`overlap` compares two segments or more, each named once, up to 64 at a time.",
        "Name them, or choose them with `--select`.",
        "segctl overlap winback",
        "segctl overlap winback vip",
    ),
    "SEG591": Entry(
        "a segment that cannot be compared",
        "Its definition asks to fail where a value is missing (`missing: error`), and a value is missing.",
        "Complete the data, choose `missing: no_match`, or compare the members of the last run without `--now`.",
    ),
}
