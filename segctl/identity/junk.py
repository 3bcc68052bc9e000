"""Values that are no identifiers: placeholders, test data, and whatever too many identities have."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from segctl.identity.keys import Groups
from segctl.model.identity import KeyRule

_WORDS = frozenset({
    "0", "00", "000", "1", "-1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789",
    "1234567890", "admin", "anonym", "anonymous", "anonymous_user", "asdf", "default", "dummy", "false", "gast",
    "guest", "guest_user", "invalid", "name", "new", "no", "not set", "(not set)", "not_set", "notset", "nobody",
    "sample", "system", "test", "test123", "tester", "testuser", "true", "undefined", "user", "vorname", "nachname",
    "yes", "00000000-0000-0000-0000-000000000000",
})  # fmt: skip
_NOBODY = (
    r"test|tester|testuser|testmail|testemail|test\.?test|asdf+|asd|qwert[zy]?|abc|abcd|xyz|foo|bar|foobar|dummy|fake|"
    r"none|null|nil|na|n-?a|nan|keine?|keine?[-_.]?e?mail|nomail|no[-_.]?e?mail|noemail|nobody|niemand|unknown|"
    r"unbekannt|anonymous|anonym|example|beispiel|sample|max\.mustermann|mustermann|muster|john\.doe|johndoe|invalid|"
    r"undefined|guest|gast|user|kunde|customer|deleted|geloescht|xx|xxx|aaa|12|123|1234|12345"
)
_SAME_DIGIT = "|".join(f"{digit}{{7}}" for digit in range(10))
_PATTERNS = {
    "text": r"^[0\-_.]*$|^test[-_ ]?\d*$",
    "email": rf"^(?:{_NOBODY})\d{{0,4}}@|^(?:no|do)[-_.]?(?:not[-_.]?)?reply\d*@"
    r"|@(?:[^@]*\.)?(?:invalid|localhost|test)$|@(?:test|nomail|noemail|keine)\.",
    "phone": rf"(?:{_SAME_DIGIT})|(?:^|\D|\d{{2}})0?123456789?0?$|987654321$|^digits:1?2345678"
    r"|^\+[1-9]\d{0,2}0{5,}$",
    "name": r"\|(?:1900|1901|1970|2000|9999) 01 01$|^(?:test|max\|muster|john\|doe)",
    "address": r"^[^|]*\|0+\|",
}
SCHEMA = {"key": pl.String, "value": pl.String, "identities": pl.Int64, "reason": pl.String}


def dropped(rule: KeyRule, groups: Groups) -> tuple[Groups, pl.DataFrame]:
    """The groups whose value is an identifier, and the list of those that are left out.

    The second is one row per value: ``key``, ``value``, ``identities`` that have it, ``reason`` (`blocked`,
    `placeholder` or `frequency`); most frequent first.
    """
    values = groups.values
    # Behind the source's name, when a key holds within a source only.
    plain = values.str.split("\x1f").list.last() if rule.scope == "source" else values
    too_many = pl.Series(groups.sizes > rule.cap)
    by_user = is_listed(plain, rule.blocked)
    by_list = is_placeholder(plain, rule.form) & ~is_listed(plain, rule.allowed)
    gone = too_many | by_user | by_list
    if not gone.any():
        return groups, pl.DataFrame(schema=SCHEMA)
    report = pl.DataFrame({"value": values, "identities": groups.sizes}).select(
        pl.lit(rule.name).alias("key"),
        "value",
        pl.col("identities").cast(pl.Int64),
        pl.when(by_user).then(pl.lit("blocked")).when(by_list).then(pl.lit("placeholder"))
        .otherwise(pl.lit("frequency")).alias("reason"),
    ).filter(gone).sort("identities", "value", descending=[True, False])  # fmt: skip
    return groups.without(np.asarray(gone)), report


def is_placeholder(values: pl.Series, form: str) -> pl.Series:
    """True for values that systems and people write where they have none."""
    frame = values.to_frame("v")
    if form in ("email", "phone", "address"):
        return frame.select(pl.col("v").str.contains(_PATTERNS[form])).to_series()
    lower = pl.col("v").str.to_lowercase()
    # One sign over and over: `xxxx`, `1111`; single letters and digits are ids of small systems.
    repeated = (pl.col("v").str.len_chars() > 2) & (pl.col("v").str.strip_chars(pl.col("v").str.head(1)) == "")
    pattern = lower.str.contains(_PATTERNS["name" if form == "name" else "text"])
    words = lower.is_in(_WORDS) & ~lower.str.contains(r"^\d{1,4}$")
    return frame.select(repeated | pattern | words).to_series()


def is_listed(values: pl.Series, listed: tuple[str, ...]) -> pl.Series:
    """True for values that a person has listed; ``*`` stands for any characters, and case does not count."""
    if not listed:
        return pl.repeat(value=False, n=len(values), dtype=pl.Boolean, eager=True)
    parts = "|".join(re.escape(word.lower()).replace(r"\*", ".*") for word in listed)
    return values.str.to_lowercase().str.contains(f"^(?:{parts})$")
