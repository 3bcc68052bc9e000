"""JSON documents: the list of records in them, one record after another, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segctl.connectors.files.base import MAX_RECORD_BYTES, Detected, RawBatch, ReadOptions, Reason
from segctl.connectors.files.faults import NUL_BYTE, broken_off, no_text, too_long
from segctl.connectors.files.json_stream import JsonText
from segctl.connectors.files.json_values import checked, parse_record
from segctl.connectors.files.ndjson_reader import Pending, text_encoding
from segctl.connectors.files.paths import shortened
from segctl.connectors.files.streams import ByteStream, head
from segctl.connectors.files.text import open_text
from segctl.model.errors import DataError

_BATCH_BYTES = 8 * 1024 * 1024
_SAMPLE_BYTES = 1024 * 1024
_SAMPLE_RECORDS = 200
_LOOK_DEPTH = 3
_LOOK_CHARACTERS = 16 * 1024 * 1024
_UNESCAPED_DOT = re.compile(r"(?<!\\)\.")
_UNDECODED = re.compile(r"(?<!\\)(?:\\\\)*\\x[0-9a-f]{2}")


class JsonReader:
    """Reads the list of records in a JSON document, typed where a batch agrees."""

    def detect(self, path: Path, options: ReadOptions, base: Detected) -> Detected:
        """Complete `base` by encoding, the path to the records and the keys of the first ones.

        Raises:
            DataError: SEG347 or SEG348, no records are found, or the text is not JSON.
        """
        found = text_encoding(head(path, base.compression, _SAMPLE_BYTES), options, base)
        records_path, why = options.records, "records: declared"
        if records_path is None:
            records_path, why = _find_records(path, found)
        found = replace(found, records=records_path, why=(*found.why, why))
        stream, text = open_text(path, found.compression, found.encoding)
        with stream:
            names: dict[str, None] = {}
            for _, (record, _) in zip(
                range(_SAMPLE_RECORDS), _records(JsonText(text), found, path, stream), strict=False
            ):
                names |= dict.fromkeys(record) if isinstance(record, dict) else {}
        return replace(found, columns=tuple(names))

    def read(
        self,
        path: Path,
        detected: Detected,
        *,
        batch_rows: int,
        piece_bytes: int | None = None,
        waiting: type[Pending] = Pending,
    ) -> Iterator[RawBatch]:
        """The objects of the list; elements that are none are in `bad`. `lines` are record numbers."""
        stream, text = open_text(path, detected.compression, detected.encoding)
        with stream:
            window = JsonText(text) if piece_bytes is None else JsonText(text, piece_bytes)
            pending = waiting(str(path), batch_rows)
            for number, (record, raw) in enumerate(_records(window, detected, path, stream), start=1):
                pending.add(number, record, raw)
                if pending.is_full(_BATCH_BYTES):
                    yield pending.batch(stream.bytes_done)
            if pending.records or pending.bad:
                yield pending.batch(stream.bytes_done)


@dataclass(frozen=True, slots=True)
class _List:
    path: str
    is_of_objects: bool


Found = tuple[dict[str, Any] | Reason, str]


def split_path(records: str) -> list[str]:
    r"""The keys of a path: ``a.b\.c`` is ``a``, then ``b.c``."""
    return [key.replace("\\.", ".") for key in _UNESCAPED_DOT.split(records)] if records else []


def _records(window: JsonText, detected: Detected, path: Path, stream: ByteStream) -> Iterator[Found]:
    """Every record, or why an element is none, with its text."""
    if window.peek() == "":
        if stream.broken:
            yield _cut(stream, "", "")
        return
    _descend(window, split_path(detected.records), path)
    if window.peek() != "[":
        yield from _objects(window, stream, is_document=not detected.records)
        return
    window.take()
    while (mark := window.peek()) not in {"]", ""}:
        if mark == ",":
            window.take()
            continue
        found = _element(window, stream)
        yield found
        if isinstance(found[0], Reason) and found[0].code == "SEG367":
            return
    if mark == "":
        yield _cut(stream, "", "the document ends before its list does")


def _objects(window: JsonText, stream: ByteStream, *, is_document: bool) -> Iterator[Found]:
    """A single object; a document may hold several one after another."""
    yield _element(window, stream)
    while is_document and window.peek():
        if window.peek() == ",":
            window.take()
        else:
            yield _element(window, stream)


def _element(window: JsonText, stream: ByteStream) -> Found:
    taken = window.value()
    if taken is not None:
        value, raw = taken
        return checked(value, raw), raw
    raw, length, whole = window.extent()
    if not raw:  # a bracket that closes nothing
        raw, length, whole = window.take(), 1, True
    if not whole:
        return _cut(stream, raw, "the document ends within a record")
    if length > MAX_RECORD_BYTES:
        return too_long(length), shortened(raw)
    return _damage(raw) or parse_record(raw), raw


def _damage(raw: str) -> Reason | None:
    r"""Undecodable bytes reach the text as ``\xNN``, which JSON itself never has."""
    if "\x00" in raw:
        return NUL_BYTE
    wrong = _UNDECODED.search(raw)
    return None if wrong is None else no_text(wrong[0][-2:])


def _cut(stream: ByteStream, raw: str, why: str) -> Found:
    return broken_off(f"the file {stream.broken}" if stream.broken else why), raw


def _descend(window: JsonText, keys: list[str], path: Path) -> None:
    """Move the window to the value at the end of the keys."""
    for depth, key in enumerate(keys):
        seen: list[str] = []
        for name in _members(window, path):
            if name == key:
                break
            seen.append(name)
            window.extent(keep=0)
        else:
            where = ".".join(keys[:depth]) or "the top of the document"
            there = ", ".join(f"`{name}`" for name in seen[:8]) or "no keys"
            raise DataError(
                "SEG347", f"`{path}` has no `{key}` at {where}", why=f"there is {there}", hint="correct `records`"
            )


def _members(window: JsonText, path: Path) -> Iterator[str]:
    """The keys of the object at the window; its consumer passes over each value before it asks for the next."""
    if window.take() != "{":
        raise DataError("SEG347", f"`records` leads to a value in `{path}` that is no object", hint="correct `records`")
    while (mark := window.peek()) not in {"}", ""}:
        if mark == ",":
            window.take()
            continue
        name = window.value()
        if name is None or not isinstance(name[0], str) or window.take() != ":":
            raise DataError("SEG348", f"`{path}` is not well-formed JSON", why=f"a key is expected, not `{mark}`")
        yield name[0]
    if window.take() == "":
        raise DataError("SEG348", f"`{path}` is not well-formed JSON", why="it ends within an object")


def _find_records(path: Path, found: Detected) -> tuple[str, str]:
    """The one list of objects in the document."""
    stream, text = open_text(path, found.compression, found.encoding)
    with stream:
        window = JsonText(text)
        if window.peek() != "{":
            if window.peek() not in {"[", ""}:
                raise DataError("SEG348", f"`{path}` is not JSON", why=f"it starts with `{window.peek()}`")
            return "", "records: the document is a list"
        found_lists: list[_List] = []
        with suppress(_LongList):
            _lists(window, path, "", 1, found_lists)
        lists = [each.path for each in found_lists if each.is_of_objects]
    if len(lists) > 1:
        raise DataError(
            "SEG347",
            f"`{path}` holds several lists of objects",
            why="there are " + ", ".join(f"`{name}`" for name in lists[:8]),
            hint=f"declare which one is meant, for example `json: {{records: {lists[0]}}}`",
        )
    if lists:
        return lists[0], f"records: the only list of objects is `{lists[0]}`"
    return "", "records: the document is one record"


class _LongList(Exception):  # noqa: N818 - private signal
    pass


def _lists(window: JsonText, path: Path, prefix: str, depth: int, found: list[_List]) -> None:
    """Add the lists below the object at the window, which is passed over."""
    for name in _members(window, path):
        here = prefix + name.replace(".", "\\.")
        mark = window.peek()
        if mark == "{" and depth < _LOOK_DEPTH:
            _lists(window, path, here + ".", depth + 1, found)
        elif mark == "[":
            kept, _, whole = window.extent(keep=64, limit=_LOOK_CHARACTERS)
            found.append(_List(here, re.match(r"\[\s*\{", kept) is not None))
            if not whole:  # this is where the data is; what follows is gigabytes away
                raise _LongList
        else:
            window.extent(keep=0)
