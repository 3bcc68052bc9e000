"""The nearest known name to a mistyped one."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping

_LONGEST = 60
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def nearest(name: str, known: Iterable[str], *, synonyms: Mapping[str, str] | None = None) -> str | None:
    """The known name that was probably meant, None when nothing is close.

    Args:
        name: What was written.
        known: All valid names.
        synonyms: Words of other tools and languages for a known name.

    >>> nearest("contry", ["city", "country"])
    'country'
    """
    candidates = sorted(set(known))
    if len(name) > _LONGEST:
        return None
    if synonyms is not None and synonyms.get(name.lower()) in candidates:
        return synonyms[name.lower()]
    wanted = as_name(name)
    if not wanted:
        return None
    limit = 1 if len(wanted) <= 4 else 2 if len(wanted) <= 8 else 3
    scored = ((edits(wanted, as_name(known_name), limit), known_name) for known_name in candidates)
    best = min(((distance, known_name) for distance, known_name in scored if distance <= limit), default=None)
    if best is not None:
        return best[1]
    parts = set(wanted.split("_"))
    return next((candidate for candidate in candidates if len(parts) > 1 and set(candidate.split("_")) == parts), None)


def did_you_mean(name: str, known: Collection[str], *, synonyms: Mapping[str, str] | None = None) -> str | None:
    """A hint with the nearest name; with the whole list when it is short and nothing is near."""
    found = nearest(name, known, synonyms=synonyms)
    if found is not None:
        return f"did you mean `{found}`?"
    if 0 < len(known) <= 8:
        return f"there is {one_of(known)}"
    return None


def one_of(names: Iterable[str], last: str = "and") -> str:
    """Names in backticks as people list them: `` `a`, `b` and `c` ``."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}" if quoted else ""


def as_name(text: str) -> str:
    """The text as a name of the language: lower case, German letters spelled out, words joined by `_`.

    >>> as_name("Größe XL")
    'groesse_xl'
    """
    spelled = unicodedata.normalize("NFC", text.strip()[:200]).lower().translate(_GERMAN)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    joined = "".join(character if character.isalnum() else "_" for character in plain).strip("_")
    while "__" in joined:
        joined = joined.replace("__", "_")
    return joined


def edits(one: str, other: str, limit: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours between two words; more than `limit` is cut short."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        previous, row = row, [i]
        for j, right in enumerate(other, start=1):
            best = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        if min(row) > limit:
            return limit + 1
        before = previous
    return row[-1]


def as_keyword(text: str) -> str:
    """A text as one word that no shell reads otherwise.

    >>> as_keyword("Anna's last order (2 days ago)")
    'Anna_s_last_order_2_days_ago'
    """
    return "_".join("".join(c if c.isalnum() or c in "_.-" else " " for c in text).split())


def is_keyword_of(keyword: str, text: str) -> bool:
    """Whether a text has the keyword in it, as it is or in the form of `as_keyword`, in any case of letters."""
    keyword, text = keyword.casefold(), text.casefold()
    return keyword in text or keyword in as_keyword(text)
