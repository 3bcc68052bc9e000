"""What counts as missing, decided once: for keys, for scores and for what survives in a golden record."""

from __future__ import annotations

import polars as pl

# Words people and systems write into a field that has no value. Compared whole, in lower case.
PLACEHOLDERS = frozenset({
    "n/a", "n.a.", "n.a", "na", "n.v.", "n. a.", "nan", "nil", "null", "none", "empty", "leer", "undefined", "missing",
    "(null)", "(none)", "(empty)", "(leer)", "<null>", "#n/a", "#nv", "#ref!", "#wert!", "#value!", "-", "--", "---",
    ".", "..", "...", "?", "??", "???", "x", "xx", "xxx", "xxxx", "_", "/", "*", "unknown", "unbekannt", "inconnu",
    "not available", "not provided", "not known", "no name", "noname", "no data", "ohne angabe", "keine angabe",
    "keine angaben", "k.a.", "k. a.", "k.a", "o.a.", "entfällt", "tbd", "tba",
})  # fmt: skip


def without_missing(text: pl.Expr) -> pl.Expr:
    """The text without blanks around it, null where it says nothing.

    Null, blank and placeholder (`n/a`, `-`, `unbekannt` …) are the same thing everywhere: no evidence for or
    against anything, never a key.
    """
    stripped = text.cast(pl.String).str.strip_chars()
    says_nothing = stripped.str.to_lowercase().is_in(sorted(PLACEHOLDERS)) | (stripped == "")
    return pl.when(~says_nothing).then(stripped)


def is_missing(value: object) -> bool:
    """Whether one value says nothing; the same rule as `without_missing`."""
    if value is None or value != value:  # NaN alone is unequal to itself
        return True
    text = str(value).strip()
    return text == "" or text.lower() in PLACEHOLDERS
