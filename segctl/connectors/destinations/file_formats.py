"""Formats of a file destination: a frame of people as bytes, and the bytes as a frame again."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from segctl.connectors.destinations.values import plain, text
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.destinations.base import Row

FORMATS = ("csv", "csv-excel", "ndjson", "parquet", "xml")
ENDINGS = {"csv": "csv", "csv-excel": "csv", "ndjson": "ndjson", "parquet": "parquet", "xml": "xml"}
SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
NAMES = {sign: name for name, sign in SIGNS.items()}
TEXTS = ("csv", "csv-excel", "xml")
"""Formats that know nothing but texts."""
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]\d[\d ]*(?:[.,]\d+)?\Z")
"""A telephone number or a number below zero, which no spreadsheet takes for a formula."""
_ESCAPED = r"^'+[=+\-@\t\r]"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written.

    Attributes:
        format: One of `FORMATS`.
        delimiter: Of CSV.
        escapes: In CSV a text that a spreadsheet would take for a formula gets a `'` before it.
        phones: Columns with telephone numbers, which are left as they are.
    """

    format: str
    delimiter: str = ","
    escapes: bool = True
    phones: frozenset[str] = frozenset()

    @property
    def words(self) -> str:
        """What `form_of` makes the same form of, for a manifest."""
        return " ".join((self.format, NAMES[self.delimiter], "escaped" if self.escapes else "plain"))

    @property
    def is_csv(self) -> bool:
        """Whether it is one of the kinds of CSV."""
        return self.format.startswith("csv")


def form_of(words: str, phones: frozenset[str]) -> Form:
    """The form that a manifest tells of.

    >>> form_of("csv semicolon plain", frozenset()).delimiter
    ';'
    """
    name, sign, escapes = words.split(" ")
    return Form(name, SIGNS[sign], escapes == "escaped", phones)


def frame_of(rows: Sequence[Row], columns: Sequence[str], form: Form) -> pl.DataFrame:
    """One row per person, in the given columns; of identifiers and fields with the same name the identifier counts."""
    import polars as pl

    values: dict[str, list[Any]] = {name: [] for name in columns}
    for row in rows:
        for name in columns:
            values[name].append(_value(row.identifiers.get(name, row.fields.get(name)), name, form))
    of = pl.String if form.format in TEXTS else None
    series = [pl.Series(name, found, dtype=of, strict=False) for name, found in values.items()]
    return pl.DataFrame(series)


def _value(value: object, name: str, form: Form) -> Any:  # noqa: ANN401 - as the format wants it
    if form.format not in TEXTS:
        return value if form.format == "parquet" else plain(value)
    if isinstance(value, str) and form.is_csv and form.escapes and name not in form.phones:
        return harmless(value)
    return text(value)


def harmless(value: str) -> str:
    """A text that no spreadsheet takes for a formula; what was escaped before is escaped once more.

    >>> harmless("=HYPERLINK()"), harmless("+49 30 123"), harmless("'=a")
    ("'=HYPERLINK()", '+49 30 123', "''=a")
    """
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.match(value) else value


def encoded(frame: pl.DataFrame, form: Form, about: dict[str, str]) -> bytes:
    """The file's bytes.

    Args:
        frame: One row per person.
        form: How it is written.
        about: What an XML file says of itself.
    """
    import polars as pl

    if form.format == "xml":
        return _xml(frame, about).encode()
    stream = io.BytesIO()
    if form.format == "parquet":
        frame.write_parquet(stream, compression="zstd")
    elif form.format == "ndjson":
        frame.write_ndjson(stream)
    else:
        is_excel = form.format == "csv-excel"
        ending = "\r\n" if is_excel else "\n"
        # An empty text would be written as two quotation marks.
        cells = frame.with_columns(pl.col(pl.String).replace("", None))
        cells.write_csv(stream, separator=form.delimiter, line_terminator=ending, include_bom=is_excel)
    return stream.getvalue()


def decoded(data: bytes, form: Form) -> pl.DataFrame:
    """The frame that `encoded` was given, as far as the format tells; texts stay as they stand there."""
    import polars as pl

    if form.format == "parquet":
        return pl.read_parquet(io.BytesIO(data))
    if form.format == "ndjson":
        return pl.read_ndjson(io.BytesIO(data), infer_schema_length=None) if data.strip() else pl.DataFrame()
    if form.format == "xml":
        return _of_xml(data)
    return pl.read_csv(io.BytesIO(data), separator=form.delimiter, infer_schema=False).fill_null("")


def rewritten(frame: pl.DataFrame, old: Form, new: Form) -> pl.DataFrame:
    """A frame of a file of one form, as it stands in files of another."""
    import polars as pl

    if old == new:
        return frame
    frame = unescaped(frame, old)
    if new.format in TEXTS and old.format not in TEXTS:
        frame = frame.select(
            pl.Series(name, [text(value) for value in frame[name]], dtype=pl.String) for name in frame.columns
        )
    if not (new.is_csv and new.escapes):
        return frame
    names = [name for name in frame.columns if name not in new.phones]
    return frame.with_columns(pl.col(name).map_elements(harmless, return_dtype=pl.String) for name in names)


def unescaped(frame: pl.DataFrame, form: Form) -> pl.DataFrame:
    """A frame of a file with texts as they were before `harmless`."""
    import polars as pl

    if not (form.is_csv and form.escapes):
        return frame
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(_ESCAPED)).then(pl.col(name).str.slice(1)).otherwise(pl.col(name)).alias(name)
        for name in frame.columns
        if name not in form.phones
    )


def _xml(frame: pl.DataFrame, about: dict[str, str]) -> str:
    head = "".join(f" {name}={quoteattr(_legal(value))}" for name, value in about.items())
    names = [quoteattr(name) for name in frame.columns]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<audience{head}>"]
    for values in frame.iter_rows():
        cells = "".join(
            f"<value name={name}>{escape(_legal(value or ''))}</value>"
            for name, value in zip(names, values, strict=True)
        )
        lines.append(f" <person>{cells}</person>")
    return "\n".join([*lines, "</audience>", ""])


def _legal(value: str) -> str:
    """Without characters that XML cannot hold; a carriage return would come back as a line feed."""
    return _NOT_IN_XML.sub("\ufffd", value).replace("\r\n", "\n").replace("\r", "\n")


def _of_xml(data: bytes) -> pl.DataFrame:
    import polars as pl

    people = [
        {cell.get("name", ""): cell.text or "" for cell in person.iter("value")}
        for person in ET.fromstring(data).iter("person")
    ]
    return pl.DataFrame(people, infer_schema_length=None) if people else pl.DataFrame()
