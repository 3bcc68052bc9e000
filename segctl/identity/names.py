"""Names of persons in comparable form: umlauts in three spellings, titles, double names, Kölner Phonetik.

Every function takes and returns a Polars expression of text; null stays null. The forms are for matching only:
what people wrote is kept beside them.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

# Letters that Unicode does not take apart; the German ones differ between the two folds.
_STROKES = {
    "ß": "ss", "ẞ": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ŀ": "l",
    "ħ": "h", "ŧ": "t", "ŋ": "n", "ĸ": "k",
}  # fmt: skip
_DIGRAPHS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe"}
_TITLES = (
    "dr", "prof", "professor", "dipl", "ing", "mag", "med", "phil", "jur", "rer", "nat", "habil", "hc", "mba", "msc",
    "bsc", "phd", "llm", "herr", "hr", "frau", "fr", "familie", "fam", "mr", "mrs", "ms", "miss", "mister", "sir",
    "jr", "sr", "junior", "senior", "dres", "pd", "univ",
)  # fmt: skip
_PARTICLES = ("von", "van", "vom", "zu", "zum", "zur", "der", "den", "dem", "ten", "ter", "de", "und", "y")
_MARKS = r"\p{M}+"


def spoken(text: pl.Expr) -> pl.Expr:
    """Lower case in composed letters, punctuation as one blank, apostrophes and full stops gone."""
    plain = text.str.to_lowercase().str.normalize("NFKC")
    plain = plain.str.replace_all(r"['’`´.]", "").str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ")
    return plain.str.strip_chars()


def fold_ae(text: pl.Expr) -> pl.Expr:
    """Plain letters with ä → ae, as Germans write without umlauts: Müller → mueller."""
    return _without_marks(text.str.to_lowercase().str.normalize("NFC").str.replace_many(_STROKES | _DIGRAPHS))


def fold_a(text: pl.Expr) -> pl.Expr:
    """Plain letters with ä → a, as foreign systems write: Müller → muller."""
    return _without_marks(text.str.to_lowercase().str.normalize("NFC").str.replace_many(_STROKES))


def without_titles(text: pl.Expr) -> pl.Expr:
    """The spoken form without titles and forms of address, unless nothing else is there."""
    return _without_words(text, _TITLES)


def without_particles(text: pl.Expr) -> pl.Expr:
    """The spoken form without `von`, `zu`, `van der` …, unless nothing else is there."""
    return _without_words(text, _PARTICLES)


def name_key(text: pl.Expr) -> pl.Expr:
    """One spelling for all three of a name: Müller, Mueller and Muller are `muller`; tokens in their order.

    Titles and particles are dropped, so `Dr. von Ühlen` is `uhlen`. A written-out umlaut is folded only where
    German has one: `Samuel`, `Zoe` and `Bauer` stay as they are.
    """
    folded = fold_ae(without_particles(without_titles(spoken(text))))
    digraph = r"(^|[^aeiouyq])([aou])e([^l ]|l[^ ])"
    # Matches may share a letter, so a second pass takes what the first one stepped over.
    return folded.str.replace_all(digraph, "${1}${2}${3}").str.replace_all(digraph, "${1}${2}${3}")


def token_key(text: pl.Expr) -> pl.Expr:
    """The tokens of a `name_key` in alphabetical order: `Meier-Schulz` is `Schulz-Meier`."""
    return text.str.split(" ").list.sort().list.join(" ")


def given_of_full(text: pl.Expr) -> pl.Expr:
    """Given names of a full name: all but the last token, or what follows the comma of `Surname, Given`."""
    clean = _whole(text)
    tokens = without_titles(spoken(clean)).str.split(" ")
    return _null_if_blank(tokens.list.head(tokens.list.len() - 1).list.join(" "))


def surname_of_full(text: pl.Expr) -> pl.Expr:
    """Surname of a full name: the last token, or what stands before the comma of `Surname, Given`."""
    return _null_if_blank(without_titles(spoken(_whole(text))).str.split(" ").list.last())


def name_sound(text: pl.Expr) -> pl.Expr:
    """Kölner Phonetik of the `name_key`, digits as text; for finding candidates, never as proof."""
    return name_key(text).map_elements(cologne, return_dtype=pl.String)


@lru_cache(maxsize=1 << 16)
def cologne(name: str) -> str:
    """Kölner Phonetik of letters a–z (other characters are skipped).

    Source:
        H. J. Postel, Die Kölner Phonetik, IBM-Nachrichten 19, 1969, pp. 925–931.

    >>> cologne("muller"), cologne("wikipedia"), cologne("breschnew")
    ('657', '3412', '17863')
    """
    letters = [letter for letter in name if "a" <= letter <= "z"]
    codes: list[str] = []
    for at, letter in enumerate(letters):
        before = letters[at - 1] if at else ""
        after = letters[at + 1] if at + 1 < len(letters) else ""
        codes.append(_cologne_code(letter, before, after))
    digits = "".join(codes)
    once = "".join(digit for at, digit in enumerate(digits) if at == 0 or digits[at - 1] != digit)
    return once[:1] + once[1:].replace("0", "")


def _cologne_code(letter: str, before: str, after: str) -> str:
    """Code of one letter between its neighbours, empty for H."""
    if letter == "p":
        return "3" if after == "h" else "1"
    if letter in "dt":
        return "8" if after and after in "csz" else "2"
    if letter == "c":
        return _code_of_c(before, after)
    if letter == "x":
        return "8" if before and before in "ckq" else "48"
    for group, code in (("aeiouyj", "0"), ("b", "1"), ("fvw", "3"), ("gkq", "4"), ("l", "5"), ("mn", "6"), ("r", "7"),
                        ("sz", "8")):  # fmt: skip
        if letter in group:
            return code
    return ""


def _code_of_c(before: str, after: str) -> str:
    """C sounds like K (4) before certain letters, except after S and Z; else like S (8)."""
    if not before:
        return "4" if after and after in "ahkloqrux" else "8"
    return "4" if before not in "sz" and after and after in "ahkoqux" else "8"


def _whole(text: pl.Expr) -> pl.Expr:
    """`Surname, Given` turned round; other texts as they are."""
    turned = text.str.replace(r"^\s*([^,]+?)\s*,\s*([^,]+?)\s*$", "${2} ${1}")
    return pl.when(text.str.count_matches(",") == 1).then(turned).otherwise(text)


def _without_marks(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFKD").str.replace_all(_MARKS, "")


def _without_words(text: pl.Expr, words: tuple[str, ...]) -> pl.Expr:
    # The expression engine has no look-around: blanks are doubled so that neighbours do not share one.
    padded = text.str.replace_all(" ", "  ").str.replace(r"^(.*)$", " ${1} ")
    rest = padded.str.replace_all(rf" (?:{'|'.join(words)}) ", " ").str.replace_all(" +", " ").str.strip_chars()
    return pl.when(rest != "").then(rest).otherwise(text)


def _null_if_blank(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)
