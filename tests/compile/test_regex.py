from __future__ import annotations

import re

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.compile.regex import check_pattern, compile_portable
from segctl.compile.timewords import Problem

TEXTS = [
    "", "a", "A", "ab", "aab", "abc", "B", "b1", "_", "-", "a-b", "ä", "Ä", "ß", "ss", "SS", "é", "é", "日本", "😀",
    "a\n", "a\nb", "\n", "a b", " a", "\t", "\x0b", "\x0c", "\r", "\u00a0", "\u2028", "\u2029", "\u0085", "1", "42",
    "٣", "ſ", "K", "k", "s", "a.b", "a+b", "[a]", "{a}", "a|b", "^a$", "$", "\\", "\\d", "a&b", "a~b", "a&&b", "]",
    "(", "%", "O'Neil", "a" * 9, "x\x1fy", "İ", "i", "I", "ﬁ", "Z", "[:alpha:]", "`", "{2}", "aa", "aaa",
    "\x00", "ab\nab",
]  # fmt: skip


def matches_python(pattern: str) -> list[bool]:
    return [compile_portable(pattern).search(text) is not None for text in TEXTS]


def matches_polars(pattern: str) -> list[bool]:
    return pl.Series("t", TEXTS).str.contains(pattern, strict=True).to_list()


def matches_duckdb(pattern: str) -> list[bool]:
    query = "SELECT regexp_matches(t, $p) FROM (SELECT unnest($t) t, generate_subscripts($t, 1) i) ORDER BY i"
    return [row[0] for row in duckdb.execute(query, {"p": pattern, "t": TEXTS}).fetchall()]


CHARACTERS = st.sampled_from([*"abzABZ059_ -&~!#%'\"/,:;<=>@`", "ä", "ß", "é", "日", "😀", "ſ"])
IN_CLASS = st.sampled_from(["a-f", "A-z", "0-5", "ä-ü", r"\d", r"\w", r"\s", r"\]", "[", "^", "&&", "--"])
ATOMS = st.one_of(
    CHARACTERS,
    st.sampled_from([r"\.", r"\\", r"\[", r"\]", r"\^", r"\$", r"\-", r"\&", r"\~", r"\t", r"\n", r"\v"]),
    st.sampled_from([r"\x41", r"\xe9", "]", "}"]),
    st.sampled_from([".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", "^", "$"]),
    st.lists(
        st.one_of(CHARACTERS, IN_CLASS),
        min_size=1, max_size=4,
    ).map(lambda items: f"[{''.join(items)}]"),
    st.lists(st.sampled_from(["a", "b-d", r"\s", r"\w", r"\n"]), min_size=1).map(lambda some: f"[^{''.join(some)}]"),
)  # fmt: skip
QUANTIFIERS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,}", "*?", "+?", "??", "{2,3}?"])
PIECES = st.tuples(ATOMS, QUANTIFIERS).map("".join)
BODIES = st.recursive(
    st.lists(PIECES, min_size=1, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, QUANTIFIERS).map(lambda parts: f"({parts[0]}){parts[1]}"),
        st.tuples(inner, QUANTIFIERS).map(lambda parts: f"(?:{parts[0]}){parts[1]}"),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=4,
)
PATTERNS = st.tuples(st.sampled_from(["", "", "(?i)", "(?m)", "(?im)"]), BODIES).map("".join)


@settings(max_examples=250, deadline=None)
@given(PATTERNS, st.booleans())
def test_random_portable_patterns_agree_on_all_engines(pattern: str, ignore_case: bool) -> None:
    portable = check_pattern(pattern, ignore_case=ignore_case)
    if isinstance(portable, Problem):
        assert 0 <= portable.start < len(pattern)
        return

    expected = matches_python(portable)

    assert matches_polars(portable) == expected, portable
    assert matches_duckdb(portable) == expected, portable
    again = check_pattern(portable, ignore_case=ignore_case)
    # Written out a pattern may be longer than one may be written.
    assert isinstance(again, Problem) or again == portable or matches_python(again) == expected


@pytest.mark.parametrize(
    ("pattern", "rewritten"),
    [
        (r"^\d{5}$", "^[0-9]{5}$"),
        (r"\w+@\w+\.de", r"[A-Za-z0-9_]+@[A-Za-z0-9_]+\.de"),
        (r"a\sb", r"a[\t\n\x0b\x0c\r\x20]b"),
        (r"[^\d_]", "[^0-9_]"),
        ("(DE|AT)x", "(?:DE|AT)x"),
        ("(?i)gmbh", "[Gg][Mm][Bb][Hh]"),
        ("(?i)[a-c]", "[a-cA-C]"),
        ("(?m)^a", "(?m)^a"),
        ("[a&&b]", r"[a\&\&b]"),
        ("a]", r"a\]"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_short_forms_are_written_out(pattern: str, rewritten: str) -> None:
    assert check_pattern(pattern) == rewritten


@pytest.mark.parametrize(
    ("pattern", "part", "start"),
    [
        (r"\bShop", r"`\b`", 0),
        (r"a\p{L}", r"`\p`", 1),
        ("[[:alpha:]]", "POSIX", 1),
        ("a(?=b)", "lookahead", 1),
        ("(?<!a)b", "lookbehind", 0),
        (r"(a)\1", "back-reference", 3),
        (r"\u00e9", r"`\u`", 0),
        ("(?i)É", "`(?i)` with `É`", 4),
        ("a*+", "possessive", 2),
        ("a++", "possessive", 2),
        ("(?P<x>a)", "named group", 0),
        ("(?<x>a)", "named group", 0),
        ("(?s)a", "flag `s`", 0),
        ("a(?i)b", "flags inside", 1),
        ("(?i:a)", "flags inside", 0),
        ("a**", "repetition of a repetition", 2),
        ("*a", "repeats nothing", 0),
        ("^*", "anchor", 0),
        ("a{,3}", "`{`", 1),
        ("a{3,2}", "backwards", 1),
        ("a{1001}", "beyond 1000", 1),
        ("(a{50}){50}", "more than 1000", 0),
        ("(a", "never closed", 0),
        ("a)", "no opening", 1),
        ("[a", "never closed", 0),
        ("[]", "empty", 1),
        (r"[\D]", r"`\D`", 1),
        ("[z-a]", "in order", 1),
        ("a\\", "backslash", 1),
        (r"\x4", r"`\x`", 2),
        (r"\A", r"`\A`", 0),
        ("", "empty", 0),
        ("a" * 1001, "longer", 0),
        ("(" * 500, "nested deeper", 30),
    ],
)
def test_what_engines_read_differently_is_refused_by_name(pattern: str, part: str, start: int) -> None:
    found = check_pattern(pattern)

    assert isinstance(found, Problem)
    assert (part in found.message, found.start) == (True, start), found


def test_the_end_is_the_very_end_without_m() -> None:
    portable = check_pattern("[$]|a$")

    assert isinstance(portable, str)
    assert compile_portable(portable).search("a\n") is None
    assert compile_portable(portable).search("$") is not None


def test_ignore_case_folds_the_literals_of_a_pattern() -> None:
    assert check_pattern("^Straße [A-Z]", ignore_case=True) == "^stra(?:ss)e [A-Za-z]"
    assert isinstance(check_pattern("[ß]", ignore_case=True), Problem)
    assert isinstance(check_pattern("[Ä-Ü]", ignore_case=True), Problem)


@pytest.mark.parametrize("pattern", [".{1000}", r"[^\W]{999}x", "(?:ä|[a-z]{9}){100}", r"\W{500}.{500}", "a" * 1000])
def test_the_largest_patterns_still_build_on_all_engines(pattern: str) -> None:
    portable = check_pattern(pattern)
    assert isinstance(portable, str) or "`\\W`" in portable.message

    if isinstance(portable, str):
        assert matches_polars(portable) == matches_duckdb(portable) == matches_python(portable)


@given(st.text(max_size=30))
def test_any_text_gives_a_working_pattern_or_a_place(text: str) -> None:
    found = check_pattern(text)

    if isinstance(found, str):
        re.compile(found)
        compile_portable(found)
