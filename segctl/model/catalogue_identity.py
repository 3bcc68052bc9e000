"""Codes about recognising people (SEG470 to SEG499)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG470": Entry(
        "an unknown name under `identity`",
        "Keys are made of identifiers and traits that segctl.yaml declares; `apart` names other keys.",
        "Check the spelling; the message names the nearest.",
    ),
    "SEG471": Entry(
        "a rule of survivorship that does not fit",
        "`all` is for lists, `longest` for texts, and `least_permissive` of a text needs to know the order.",
        "Choose another rule, or add `order:` with the least permissive value first.",
    ),
    "SEG472": Entry(
        "not a country",
        "Phone numbers and addresses are read by the rules of a country, named by its ISO code of two capitals.",
        "Write `DE`, `AT`, `CH` and so on.",
    ),
}
