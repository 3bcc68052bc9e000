"""JSON and NDJSON: nothing is lost, nothing is guessed, nothing is loaded whole."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.connectors.files import ReadOptions, detect
from segctl.connectors.files.json_columns import frame_of
from segctl.connectors.files.json_reader import JsonReader
from segctl.connectors.files.ndjson_reader import NdjsonReader
from segctl.model.errors import DataError

LINES = b'{"id": 1, "name": "Ada"}\n{"id": 2, "name": null, "tags": ["a", "b"]}\n'


def test_ndjson_is_typed_and_nested_as_delivered(content_of):
    content = content_of(LINES, name="a.jsonl")

    assert content.detected.format == "ndjson"
    assert content.detected.columns == ("id", "name", "tags")
    assert content.dicts == [
        {"id": 1, "name": "Ada", "tags": None},
        {"id": 2, "name": None, "tags": ["a", "b"]},
    ]
    assert content.lines == [1, 2]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{oops}", "SEG368"),
        (b'{"id": 1', "SEG368"),
        (b'{"id": 1, "id": 2}', "SEG368"),
        (b'{"a": {"x": 1, "x": 1}}', "SEG368"),
        (b'{"id": NaN}', "SEG368"),
        (b'{"id": -Infinity}', "SEG368"),
        (b"[1]", "SEG368"),
        (b"7", "SEG368"),
        (b'{"id": 1} {"id": 2}', "SEG368"),
        (b'{"name": "M\xfcller"}', "SEG364"),
        (b'{"name": "\\ud83d"}', "SEG364"),
        (b'{"\\udc00": 1}', "SEG364"),
        (b'{"id": 1}\x00', "SEG365"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "SEG366"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "SEG366"),
        (b'{"id": ' + b"9" * 5000 + b"}", "SEG368"),
    ],
)
def test_a_bad_line_harms_only_itself(content_of, line, code):
    options = ReadOptions(encoding="utf-8")

    content = content_of(b'{"id": 1}\n\n' + line + b'\n{"id": 3}\n', options, name="a.ndjson")

    assert content.dicts == [{"id": 1}, {"id": 3}]
    assert content.lines == [1, 4]
    assert content.codes == [(3, code)]
    assert content.bad[0].raw.startswith(line[:5].decode())


def test_an_over_long_line_is_passed_over(content_of):
    line = b'{"a": "' + b"x" * 40_000_000 + b'"}\n'

    content = content_of(b'{"id": 1}\n' + line + b'{"id": 2}\n', name="a.ndjson")

    assert content.codes == [(2, "SEG366")]
    assert content.lines == [1, 3]


@pytest.mark.parametrize(
    ("values", "expected", "dtype"),
    [
        ([1, 2], [1, 2], pl.Int64),
        ([1, "x"], ["1", "x"], pl.String),
        ([1, 2.5], [1.0, 2.5], pl.Float64),
        ([True, None], [True, None], pl.Boolean),
        ([True, 1], ["true", "1"], pl.String),
        ([2**63, 1], ["9223372036854775808", "1"], pl.String),
        ([2**53 + 1, 0.5], ["9007199254740993", "0.5"], pl.String),
        ([{"a": 1}, "x"], ['{"a":1}', "x"], pl.String),
        ([{"a": "ü"}, [1]], ['{"a":"ü"}', "[1]"], pl.String),
        ([[1, "x"], None, []], [["1", "x"], None, []], pl.List(pl.String)),
        ([{}, None], ["{}", None], pl.String),
        ([None, None], [None, None], pl.String),
        ([[[1], []], [[2.5]]], [[[1.0], []], [[2.5]]], pl.List(pl.List(pl.Float64))),
    ],
)
def test_columns_stay_typed_where_uniform_and_become_text_where_not(values, expected, dtype):
    frame = frame_of([{"v": value} for value in values])

    assert frame.schema["v"] == dtype
    assert frame["v"].to_list() == expected


def test_mixed_types_deep_inside_become_text_there_only():
    frame = frame_of([{"a": {"n": 1, "m": [{"x": 1}]}}, {"a": {"n": "one", "m": [{"x": 2, "y": True}]}}, {"a": None}])

    assert frame["a"].to_list() == [
        {"n": "1", "m": [{"x": 1, "y": None}]},
        {"n": "one", "m": [{"x": 2, "y": True}]},
        None,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("19.99", 19.99),
        ("0.1", 0.1),
        ("1e3", 1000.0),
        ("12345678901234567.25", "12345678901234567.25"),
        ("0.12345678901234567890", "0.12345678901234567890"),
        ("1e999", "1e999"),
        ("100000000000000000.0", 1e17),
    ],
)
def test_numbers_that_a_float_would_change_stay_text(content_of, text, expected):
    content = content_of(f'{{"v": {text}}}\n'.encode(), name="a.ndjson")

    assert content.rows == [(expected,)]


def test_a_list_of_records_is_read_with_record_numbers(content_of):
    content = content_of(b'[\n {"id": 1},\n {"id": 2}\n]\n', name="a.json")

    assert content.dicts == [{"id": 1}, {"id": 2}]
    assert content.lines == [1, 2]


@pytest.mark.parametrize("records", ["data.items", None])
def test_records_inside_a_document(content_of, records):
    text = b'{"meta": {"n": 2, "tags": ["a"], "x": "]}"}, "data": {"a": [1], "items": [{"id": 1}, {"id": 2}]}, "z": 1}'

    content = content_of(text, ReadOptions(records=records), name="a.json")

    assert content.detected.records == "data.items"
    assert content.dicts == [{"id": 1}, {"id": 2}]


def test_a_dot_inside_a_key_is_escaped(content_of):
    content = content_of(b'{"a.b": {"c": [{"id": 1}]}}', ReadOptions(records="a\\.b.c"), name="a.json")

    assert content.dicts == [{"id": 1}]


def test_several_lists_are_not_guessed_between(content_of):
    with pytest.raises(DataError) as refused:
        content_of(b'{"a": [{"x": 1}], "b": {"c": [{"y": 1}]}}', name="a.json")

    assert refused.value.code == "SEG347"
    assert "`b.c`" in str(refused.value.why)


@pytest.mark.parametrize(("records", "code"), [("data.itms", "SEG347"), ("data.items.x", "SEG347")])
def test_a_wrong_path_says_what_is_there(content_of, records, code):
    with pytest.raises(DataError) as refused:
        content_of(b'{"data": {"items": [{"id": 1}]}}', ReadOptions(records=records), name="a.json")

    assert refused.value.code == code


def test_one_object_is_one_record(content_of):
    assert content_of(b'{\n "id": 1,\n "name": "x"\n}', name="a.json").dicts == [{"id": 1, "name": "x"}]


def test_objects_one_after_another_are_all_read(content_of):
    content = content_of(b'{\n "id": 1\n}\n{\n "id": 2\n}\n', ReadOptions(format="json"), name="a.json")

    assert content.dicts == [{"id": 1}, {"id": 2}]


def test_ndjson_in_a_json_file_is_found(content_of):
    assert content_of(LINES, name="a.json").detected.format == "ndjson"


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (b'{"id": }', "SEG368"),
        (b'{"id": 1, "id": 2}', "SEG368"),
        (b'{"id": NaN}', "SEG368"),
        (b"7", "SEG368"),
        (b'"text"', "SEG368"),
        (b"oops", "SEG368"),
        (b'{"a": "open}', "SEG368"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "SEG366"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "SEG366"),
        (b'{"a": "M\xfcller"}', "SEG364"),
    ],
)
def test_a_bad_element_harms_only_itself(content_of, element, code):
    data = b'[{"id": 1},\n' + element + b'\n,{"id": 3}]'

    content = content_of(data, ReadOptions(encoding="utf-8"), name="a.json")

    assert content.dicts == [{"id": 1}, {"id": 3}]
    assert content.lines == [1, 3]
    assert content.codes == [(2, code)]


@pytest.mark.parametrize("tail", [b"", b",", b',{"id": 3', b',{"id": "x', b', {"a": [1, 2'])
def test_a_document_that_breaks_off_gives_the_records_before(content_of, tail):
    content = content_of(b'[{"id": 1}, {"id": 2}' + tail, name="a.json")

    assert content.dicts == [{"id": 1}, {"id": 2}]
    assert [code for _, code in content.codes] == ["SEG367"]


@pytest.mark.parametrize("data", [b"[]", b"", b"   "])
def test_no_records(content_of, data):
    content = content_of(data, ReadOptions(format="json"), name="a.json")

    assert (content.rows, content.bad) == ([], [])


def test_text_that_is_no_json_is_refused(content_of):
    with pytest.raises(DataError) as refused:
        content_of(b"id,name\n1,x\n", ReadOptions(format="json"))

    assert refused.value.code == "SEG348"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-8-sig"])
def test_json_in_other_encodings(content_of, encoding):
    text = '[{"name": "Ä😀"}]'.encode(encoding)
    bom = b"\xff\xfe" if encoding == "utf-16-le" else b""

    assert content_of(bom + text, name="a.json").dicts == [{"name": "Ä😀"}]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
json_records = st.lists(st.dictionaries(st.text(max_size=3), json_values, max_size=4), max_size=8)


@settings(max_examples=150, deadline=None)
@given(json_records, st.integers(1, 60), st.integers(1, 5), st.sampled_from([None, 1]))
def test_any_records_come_back_in_any_pieces(records, piece, batch_rows, indent):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(json.dumps(records, indent=indent, ensure_ascii=False), encoding="utf-8")
        detected = detect(path, ReadOptions(format="json", records="", encoding="utf-8"))
        batches = list(JsonReader().read(path, detected, batch_rows=batch_rows, piece_bytes=piece))
        lines = Path(folder) / "a.ndjson"
        lines.write_text("".join(json.dumps(record) + "\n" for record in records))
        by_line = list(
            NdjsonReader().read(lines, detect(lines, ReadOptions(format="ndjson")), batch_rows=3, chunk_bytes=piece)
        )

    for found in (batches, by_line):
        rows = [row for batch in found for row in batch.frame.to_dicts()]
        assert [number for batch in found for number in batch.lines.to_list()] == list(range(1, len(records) + 1))
        assert not any(batch.bad for batch in found)
        assert len(rows) == len(records)
        assert all(holds(row, record) for row, record in zip(rows, records, strict=True))


def holds(found: object, sent: object) -> bool:
    """The same value: typed, or as JSON text; keys that others brought are null."""
    if isinstance(sent, dict) and isinstance(found, dict):
        return all(holds(found.get(key), value) for key, value in sent.items()) and all(
            found[key] is None for key in found.keys() - sent.keys()
        )
    if isinstance(sent, list) and isinstance(found, list):
        return len(found) == len(sent) and all(map(holds, found, sent))
    if isinstance(found, str) and not isinstance(sent, str):
        return json.loads(found) == sent
    if isinstance(sent, int | float) and not isinstance(sent, bool) and isinstance(found, float):
        return math.isclose(found, sent, rel_tol=0) or found == sent
    return found == sent and (found is None or isinstance(found, type(sent)))
