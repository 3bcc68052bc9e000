"""The quick way to read a line of JSON finds what the strict one finds, or leaves it to that."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.connectors.files.json_values import Digits, parse_record, quick_record

NUMBERS = [
    "0", "-0", "1.5", "-0.0", "1E5", "1e-400", "1e400", "0.1000000000000000055", "12345678901234567890123", "2.50",
    "1.0000000000000000000001", "9007199254740993.0", "-9223372036854775809", "18446744073709551616",
    "1e9999999999999999999", "-1e-9999999999999999999",
]  # fmt: skip
TEXTS = st.text(alphabet=st.sampled_from('ab"\\\u00e4\u2028\U0001f600{}[]:,\x7f\t\x00'), max_size=4)
ENCODED = TEXTS.map(lambda text: json.dumps(text, ensure_ascii=len(text) % 2 == 0))
SCALARS = st.one_of(st.sampled_from([*NUMBERS, "true", "false", "null", "NaN", "01", "1.", "'a'"]), ENCODED)
NAMES = st.sampled_from(['"a"', '"b"', '"c"', '""', '"\u00e9"', '"\\u0061"'])


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(NAMES, inner).map(": ".join), max_size=4)
    return pairs.map(lambda some: "{" + ", ".join(some) + "}")


VALUES = st.recursive(
    SCALARS, lambda inner: objects(inner) | st.lists(inner, max_size=3).map(lambda some: f"[{','.join(some)}]"),
    max_leaves=8,
)  # fmt: skip
LINES = st.one_of(
    objects(VALUES), VALUES, st.tuples(objects(VALUES), st.sampled_from([" ", "\r", ",", "{}", "\x0c"])).map("".join)
)


def alike(one: object, other: object) -> bool:
    """The same values of the same types in the same order."""
    return repr(one) == repr(other) and json.dumps(one) == json.dumps(other)


@settings(max_examples=400, deadline=None)
@given(LINES)
def test_what_is_read_quickly_is_what_the_strict_reader_finds(line: str) -> None:
    quick = quick_record(line.encode())
    if quick is not None:
        assert alike(quick, parse_record(line))


@pytest.mark.parametrize("line", [
    b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 1}}', b'{"a": [{"b": "x", "b": "x"}]}', b'{"a": "\\ud800"}', b"[1]",
    b'{"a": "\xff"}', b'{"a": "\x00"}', b'{"a": NaN}', b'{"a": 1} {}', b"", b" ", b"\xef\xbb\xbf{}", b'{"a": 01}',
    b'{"a":' * 101 + b"1" + b"}" * 101, b'{"a": ' + b"1" * 5000 + b"}",
])  # fmt: skip
def test_everything_doubtful_is_left_to_the_strict_reader(line: bytes) -> None:
    assert quick_record(line) is None


def test_plain_lines_are_read_quickly_with_exact_numbers() -> None:
    found = quick_record(
        b'{"id": 12345678901234567890123, "price": 12.50, "fine": 0.1000000000000000000001, "t": ["\xc3\xa4"]}\r'
    )
    assert found == {"id": 12345678901234567890123, "price": 12.5, "fine": "0.1000000000000000000001", "t": ["ä"]}
    assert isinstance(found["fine"], Digits)


@pytest.mark.parametrize("number", ["1e400", "1e9999999999999999999", "1e-9999999999999999999"])
def test_a_number_beyond_all_floats_is_its_digits(number: str) -> None:
    line = f'{{"a": {number}}}'

    assert quick_record(line.encode()) == parse_record(line) == {"a": number}
