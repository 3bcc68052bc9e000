"""The traps of JSON Schema over columns, each with the answer that the specification gives."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import polars as pl
import pytest
from schema_suite import as_ndjson

from segctl.quality.contract import TextForm, UnusableContractError, Verdict, compile_contract
from segctl.quality.schema_formats import SURE
from segctl.quality.schema_pattern import to_rust


def bad_text(schema: dict[str, Any], cells: list[str | None], **form: Any) -> list[bool]:
    contract = compile_contract({"properties": {"v": schema}})
    return contract.of_text(pl.DataFrame({"v": cells}, schema={"v": pl.String}), TextForm(**form)).bad.to_list()


def bad_typed(schema: dict[str, Any], cells: list[Any], dtype: Any) -> list[bool]:
    return typed(schema, cells, dtype).bad.to_list()


def typed(schema: dict[str, Any], cells: list[Any], dtype: Any) -> Verdict:
    return compile_contract({"properties": {"v": schema}}).of_types(pl.DataFrame({"v": pl.Series(cells, dtype=dtype)}))


def bad_json(schema: dict[str, Any], values: list[Any]) -> list[bool]:
    return as_ndjson(compile_contract({"properties": {"v": schema}}), [{"v": value} for value in values]).bad.to_list()


# --- Reading ---------------------------------------------------------------------------------------------------
def test_text_is_a_number_only_where_the_contract_wants_one() -> None:
    assert bad_text({"type": "integer"}, ["1", "1.0", "1.5", "x", "007", "", None]) == [
        False,
        False,
        True,
        True,
        False,
        False,
        False,
    ]
    assert bad_text({"type": "string", "maxLength": 3}, ["007", "1234"]) == [False, True]


def test_numbers_in_text_follow_the_form_of_the_file() -> None:
    german = {"decimal": ",", "thousands": "."}

    assert bad_text({"type": "number", "minimum": 1000}, ["1.234,50", "1,5", "1.5", "12.34,5"], **german) == [
        False,
        True,
        True,
        True,
    ]


def test_a_cell_that_cannot_be_read_keeps_its_text_in_the_reason() -> None:
    found = compile_contract({"properties": {"v": {"type": "integer"}}}).of_text(pl.DataFrame({"v": ["12", " zwölf "]}))

    assert found.reasons.rows() == [(1, "/v", "type", "a whole number", " zwölf ")]


def test_an_empty_cell_is_null_where_null_is_allowed_and_absent_elsewhere() -> None:
    schema = {"required": ["a", "b"], "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "string"}}}

    found = compile_contract(schema).of_text(
        pl.DataFrame({"a": [None, "n/a"], "b": ["x", " "]}), TextForm(empty=("n/a",))
    )

    assert found.bad.to_list() == [False, True]
    assert found.reasons["pointer"].to_list() == ["/b"]


def test_truths_in_text() -> None:
    assert bad_text({"const": True}, ["true", "ja", "no", "1", "maybe"]) == [False, False, True, False, True]
    assert bad_text({"type": ["boolean", "integer"]}, ["1", "true"]) == [False, False]


def test_nothing_finite_is_no_number() -> None:
    assert bad_text({"type": "number"}, ["nan", "inf", "1e400", "1e3"]) == [True, True, True, False]
    assert bad_typed({"type": "number"}, [float("nan"), float("inf"), 1.0], pl.Float64) == [True, True, False]
    assert bad_typed({"minimum": 0}, [float("nan"), -1.0], pl.Float64) == [False, True]


def test_null_is_not_missing_in_json() -> None:
    contract = compile_contract({"required": ["b"], "properties": {"b": {"type": "string"}, "c": {"type": "string"}}})
    rows: list[dict[str, Any]] = [{"b": None}, {}, {"b": "x"}, {"b": "x", "c": None}]

    assert as_ndjson(contract, rows).bad.to_list() == [True, True, False, True]


def test_mixed_columns_of_json_are_not_taken_for_text() -> None:
    assert bad_json({"type": "string"}, ["x", 1, True, [1]]) == [False, True, True, True]
    assert bad_json({"type": "string"}, [12345678901234567890123, 12345678901234567890124]) == [True, True]
    assert bad_json({"type": "string"}, [0.12345678901234567890123]) == [True]


# --- Numbers ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (9007199254740992, [False, False, True, True]),
        (9007199254740993, [False, False, False, True]),
        (9007199254740992.0, [False, False, True, True]),
        (10**30, [False] * 4),
        (-1e300, [True] * 4),
        (1.5, [False, True, True, True]),
    ],
)
def test_bounds_of_integers_are_exact(bound: float, expected: list[bool]) -> None:
    values = [1, 9007199254740992, 9007199254740993, 9007199254740994]

    assert bad_typed({"maximum": bound}, values, pl.Int64) == expected


def test_decimals_are_counted_as_decimals() -> None:
    assert bad_json({"multipleOf": 0.01}, [4.35, 19.99, 0.005]) == [False, False, True]
    assert bad_json({"multipleOf": 0.0001}, [0.0075, 0.00751]) == [False, True]
    assert bad_typed({"multipleOf": 0.5}, [1, 2], pl.Int64) == [False, False]
    assert bad_typed({"multipleOf": 3}, [9, -9, 10], pl.Int64) == [False, False, True]


def test_one_is_one_point_zero_and_not_true() -> None:
    assert bad_json({"enum": [1]}, [1.0, 2.5]) == [False, True]
    assert bad_json({"const": 1}, [True, False]) == [True, True]
    assert bad_json({"uniqueItems": True}, [[1, 1.0], [1, 2.5]]) == [True, False]
    assert bad_json({"uniqueItems": True}, [[1, True]]) == [False]
    assert bad_json({"enum": [None, "a"]}, [None, "a", "b"]) == [False, False, True]


# --- Text ------------------------------------------------------------------------------------------------------
def test_lengths_are_code_points() -> None:
    assert bad_json({"maxLength": 1}, ["é", "e\u0301", "\U0001f44d", "\U0001f44d\U0001f3fd"]) == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (r"^\d$", "3", "٣"),
        (r"^\w$", "u", "ü"),
        (r"^\s$", "\ufeff", "x"),
        (r"^.$", "\u2028", "\n"),
        (r"a$", "ba", "a\n"),
        (r"^[a&&b]$", "&", "c"),
        (r"^[[a]$", "[", "b"),
        (r"^(?=a)", "ab", "ba"),
        (r"^(a|b)\1$", "aa", "ab"),
        (r"^[\w.]{1,2000}$", "a.b", "-"),
        (r"^[^\D5]$", "4", "5"),
        (r"^\u00e9\/\-$", "é/-", "e/-"),
    ],
)
def test_patterns_mean_what_they_mean_in_ecma(pattern: str, matching: str, other: str) -> None:
    engine = jsonschema_rs.Draft202012Validator({"pattern": pattern})
    assert [engine.is_valid(matching), engine.is_valid(other)] == [True, False]
    assert bad_json({"type": "string", "pattern": pattern}, [matching, other]) == [False, True]


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?<!a)", r"(a)\1", r"\cC", "[^]", r"\0", "a{", "[]", r"\b", "(?i)a", r"\Z"]
)
def test_what_only_ecma_knows_is_not_translated(pattern: str) -> None:
    assert to_rust(pattern) is None


def test_a_repeated_group_is_not_unrolled_without_end() -> None:
    assert to_rust("(?:a{100}){100}") is None
    assert to_rust("a{1000}") is not None


@pytest.mark.parametrize(
    ("format_", "cells", "expected"),
    [
        ("date", ["2024-02-29", "2023-02-29", "2024-2-3", "20240101", " 2024-01-01", "2024-04-31"],
         [False, *[True] * 5]),
        ("date-time", ["2016-12-31T23:59:60Z", "2024-01-31t10:00:00z", "2024-01-31T10:00:00+24:00", "2024-01-31"],
         [False, False, True, True]),
        ("email", ["a@b.de", "jürgen@example.org", "a@b@c"], [False, True, True]),
        ("idn-email", ["jürgen@example.org"], [False]),
        ("uuid", ["12345678-1234-1234-1234-123456789abc", "12345678123412341234123456789abc"], [False, True]),
        ("uri", ["https://a.de/x", "http:// x"], [False, True]),
        ("hostname", ["a.de", "-bad-"], [False, True]),
    ],
)  # fmt: skip
def test_formats_follow_the_reference(format_: str, cells: list[str], expected: list[bool]) -> None:
    engine = jsonschema_rs.Draft202012Validator({"format": format_}, validate_formats=True)

    assert bad_json({"format": format_}, list(cells)) == [not engine.is_valid(cell) for cell in cells]
    assert bad_text({"format": format_}, list(cells)) == [not engine.is_valid(cell.strip()) for cell in cells]
    assert [not engine.is_valid(cell) for cell in cells] == expected


def test_the_quick_test_of_a_format_accepts_nothing_wrong() -> None:
    from random import Random

    rng = Random(4)
    seeds = ["2024-02-29", "2024-12-31T23:59:59.5+02:00", "10:00:00Z", "a.b+c@ex-a.example.org", "127.0.0.1", "P3D",
             "https://a-b.de/x/y.html", "12345678-1234-1234-8234-123456789abc"]  # fmt: skip
    texts = set(seeds)
    for _ in range(12_000):
        text = list(rng.choice(seeds))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(text))
            text[at] = rng.choice(["", rng.choice("0123456789-.:@+TZaz/ "), text[at] * 2])
        texts.add("".join(text))
    cells = pl.Series(sorted(texts))
    for format_, pattern in SURE.items():
        engine = jsonschema_rs.Draft202012Validator({"format": format_}, validate_formats=True)
        sure = cells.filter(cells.str.contains(pattern)).to_list()

        assert sure, format_
        assert [text for text in sure if not engine.is_valid(text)] == []


# --- Contracts ---------------------------------------------------------------------------------------------------
def test_a_new_column_is_one_rule_under_its_own_name() -> None:
    contract = compile_contract({"additionalProperties": False, "properties": {"a": True}})

    found = contract.of_text(pl.DataFrame({"a": ["1", "2"], "new": ["x", None]}))

    assert found.reasons.select("row", "pointer", "keyword").rows() == [(0, "/new", "additionalProperties")]


def test_references_inside_the_contract_are_followed_and_recursion_ends() -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}, "self": {"$ref": "#"}}}

    rows: list[dict[str, Any]] = [{"a": 1, "self": {"a": "x"}}, {"a": 1, "self": {"self": {"a": 2}}}, {"a": 1.5}]

    assert as_ndjson(compile_contract(schema), rows).bad.to_list() == [True, False, True]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": "int"}}},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "#/$defs/nowhere"},
        {"pattern": "("},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        "text",
    ],
)
def test_a_contract_that_cannot_be_used_is_refused(schema: Any) -> None:
    with pytest.raises(UnusableContractError) as caught:
        compile_contract(schema)

    assert caught.value.problem.message


def test_misspelt_keywords_are_listed() -> None:
    assert compile_contract({"properties": {"a": {"minLenght": 1}}, "x-own": 1}).ignored == (
        "/properties/a/minLenght", "/x-own",
    )  # fmt: skip


def test_all_keywords_are_either_compiled_or_known_to_assert_nothing() -> None:
    from segctl.quality.schema_keywords import ASSERTING
    from segctl.quality.schema_plan import HANDLERS

    assert HANDLERS.keys() == ASSERTING


def test_a_key_written_with_escapes_is_seen() -> None:
    contract = compile_contract({"properties": {"a/b": {"type": "string"}}})
    texts = pl.Series(['{"a\\/b": null}', '{"a\\u002fb": null}', '{"x": 1}'])
    frame = pl.DataFrame({"a/b": [None, None, None], "x": [None, None, 1]}, schema={"a/b": pl.String, "x": pl.Int64})

    assert contract.of_json(frame, texts).bad.to_list() == [True, True, False]


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf", "allOf"])
def test_what_is_absent_breaks_no_branch(keyword: str) -> None:
    schema = {keyword: [{"type": "string"}, {"maxLength": 3}, {"minimum": 1}]}

    assert bad_text(schema, [None, "long text"]) == [False, keyword != "anyOf"]


def test_bounds_with_a_fraction_over_integers() -> None:
    assert bad_typed({"minimum": 1.5}, [1, 2], pl.Int64) == [True, False]
    assert bad_typed({"exclusiveMinimum": 1.5}, [1, 2], pl.Int64) == [True, False]
    assert bad_typed({"maximum": 1.5}, [1, 2], pl.Int64) == [False, True]
    assert bad_typed({"exclusiveMaximum": 1.5}, [1, 2], pl.Int64) == [False, True]


def test_translated_patterns_match_the_same_characters_as_the_reference() -> None:
    characters = pl.Series(
        [chr(i) for i in range(0x3100) if i not in range(0x7F, 0xA0)] + ["\ufeff", "\U0001f44d", "\u0085"]
    )
    for pattern in ("^.$", r"^\s$", r"^\S$", r"^\w$", r"^\W$", r"^\d$", r"^[\W]$", r"^[^\s]$", r"^\p{L}$", "^[^a-f]$"):
        translated = to_rust(pattern)
        engine = jsonschema_rs.Draft202012Validator({"pattern": pattern})

        assert translated is not None
        assert characters.filter(characters.str.contains(translated)).to_list() == [
            character for character in characters if engine.is_valid(character)
        ]


def test_a_contract_that_unfolds_without_end_is_still_decided() -> None:
    levels = {f"l{i}": {"allOf": [{"$ref": f"#/$defs/l{i + 1}"}] * 8} for i in range(9)}
    schema = {"$defs": {**levels, "l9": {"type": "integer"}}, "properties": {"v": {"$ref": "#/$defs/l4"}}}

    found = compile_contract(schema).of_text(pl.DataFrame({"v": ["1", "x"]}))

    assert found.bad.to_list() == [False, True]
    assert found.exact_rows == 2


def test_blanks_around_a_cell_are_no_part_of_a_value_with_a_format() -> None:
    """As for identity keys; where no format is wanted, and in JSON, a blank is a blank."""
    cells = [" anna@x.example", "anna@x.example ", "\tanna@x.example\n", "an na@x.example", " "]
    mail = {"type": "string", "format": "email", "maxLength": 14}

    assert bad_text(mail, cells) == [False, False, False, True, False]
    assert bad_text({"allOf": [{"format": "email"}]}, cells) == [False, False, False, True, False]
    assert bad_json(mail, cells) == [True, True, True, True, True]
    assert bad_text({"enum": ["Bonn"]}, ["Bonn", "Bonn "]) == [False, True]
    loose = compile_contract({"properties": {"v": mail}}, formats=False)
    assert loose.of_text(pl.DataFrame({"v": cells})).bad.to_list() == [True, True, True, True, False]
