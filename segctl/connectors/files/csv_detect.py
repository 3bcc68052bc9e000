"""Find out how a CSV file is written."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from segctl.connectors.files.base import Detected, ReadOptions
from segctl.connectors.files.csv_record import Dialect, Fields, Outcome, first_record, parse_record
from segctl.connectors.files.numbers import number_style
from segctl.connectors.files.streams import further, head
from segctl.connectors.files.text import codec_name, encoding_of, is_binary, readable
from segctl.model.errors import DataError, UsageError

SAMPLE_BYTES = 8 * 1024 * 1024
_PROBE_BYTES = 256 * 1024
_PROBE_RECORDS = 300
_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_SEP_LINE = re.compile(r'^"?sep=(.)"?\r?$', re.IGNORECASE)
_VALUE = re.compile(
    r"^[-+]?[\d.,'\s]*\d\s?[%€$]?$|^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T ].*)?$"
    r"|^[^@\s]+@[^@\s]+\.\w+$|^(true|false|null)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Probe:
    """The beginning of a file under one delimiter."""

    delimiter: str
    records: list[Fields]
    widths: Counter[int]

    @property
    def width(self) -> int:
        return max(self.widths, key=lambda width: (self.widths[width], width), default=0)

    @property
    def agreement(self) -> float:
        return self.widths[self.width] / max(1, len(self.records))


def detect_csv(path: Path, options: ReadOptions, base: Detected) -> Detected:
    """`base` completed by encoding, delimiter, quote, header, names and number style.

    Raises:
        DataError: SEG343, the file is no text.
        UsageError: SEG346 or SEG354, a declared option is impossible.
    """
    _check(options)
    sample = head(path, base.compression, SAMPLE_BYTES)
    late = further(path, SAMPLE_BYTES) if sample.isascii() and base.compression == "none" else b""
    encoding, why = _encoding(sample, late, options)
    if is_binary(sample[:_PROBE_BYTES], encoding):
        raise DataError(
            "SEG343",
            f"`{path}` is not a text file",
            why=f"it is full of control characters, read as {encoding}",
            hint="if it is text in another encoding, declare `csv: {encoding: …}`; else export it as CSV",
        )
    text = sample[:_PROBE_BYTES].decode(encoding, "replace").removeprefix("\ufeff").encode()
    eol = "\r" if b"\n" not in text and b"\r" in text else "\n"
    whole = len(sample) < _PROBE_BYTES
    skip, declared = _sep_line(text, options)
    quote = '"' if options.quote is None else options.quote
    probe = _best(text, skip, quote, eol, options, declared, whole=whole)
    found = replace(
        base,
        encoding=encoding,
        delimiter=probe.delimiter,
        quote=quote,
        eol=eol,
        skip_rows=skip,
        comment=options.comment or "",
    )
    said = [*base.why, why, _delimiter_words(probe, options, declared=bool(declared))]
    return _name_columns(found, probe, options, said)


def _check(options: ReadOptions) -> None:
    for name, value, empty in (("delimiter", options.delimiter, False), ("quote", options.quote, True)):
        if value is None or (empty and value == ""):
            continue
        if len(value) != 1 or not value.isascii() or value in "\r\n\x00":
            raise UsageError(
                "SEG354",
                f"`{name}: {value!r}` is not one plain character",
                hint='for example `delimiter: ";"`, or `delimiter: "\\t"` for a tab',
            )
    if options.delimiter is not None and options.delimiter == (options.quote or '"'):
        raise UsageError(
            "SEG354",
            "`delimiter` and `quote` are the same character",
            hint='the usual quote is `\'"\'`; `quote: ""` for none',
        )


def _encoding(sample: bytes, late: bytes, options: ReadOptions) -> tuple[str, str]:
    found, why = encoding_of(late or sample, whole=len(sample) < SAMPLE_BYTES)
    if options.encoding is None:
        return codec_name(found), why
    declared = codec_name(options.encoding)
    # "utf-16" alone leaves the byte order to the file.
    if declared == "utf-16-le" and found == "utf-16-be" and options.encoding.lower() in {"utf-16", "unicode"}:
        declared = found
    return declared, f"encoding {declared}: declared"


def _sep_line(text: bytes, options: ReadOptions) -> tuple[int, str]:
    """Lines to skip, and the delimiter that Excel's first line ``sep=;`` declares."""
    skip = options.skip_rows or 0
    lines = text[:4096].decode("utf-8", "replace").splitlines()
    match = _SEP_LINE.match(lines[skip]) if len(lines) > skip else None
    return (skip + 1, match[1]) if match and match[1].isascii() else (skip, "")


def _best(text: bytes, skip: int, quote: str, eol: str, options: ReadOptions, declared: str, *, whole: bool) -> _Probe:
    fixed = options.delimiter or declared
    probes = [
        _probe(
            text,
            skip,
            Dialect(mark.encode(), quote.encode(), eol.encode(), 1, comment=(options.comment or "").encode()),
            whole=whole,
        )
        for mark in ((fixed,) if fixed else _DELIMITERS)
    ]
    # Every record in one width speaks loudest; then the delimiter that cuts most.
    several = [probe for probe in probes if probe.width > 1]
    return max(several, key=lambda probe: (round(probe.agreement, 1), probe.width), default=probes[0])


def _probe(text: bytes, skip: int, dialect: Dialect, *, whole: bool) -> _Probe:
    records: list[Fields] = []
    start = first_record(text, skip, dialect, final=True)
    at = start[0] if start else len(text)
    while at < len(text) and len(records) < _PROBE_RECORDS:
        parsed = parse_record(text, at, len(text), dialect)
        if parsed.outcome is Outcome.RECORD:
            if parsed.stop == len(text) and not whole and records:
                break
            if not _is_idle(parsed.fields, dialect):
                records.append(parsed.fields)
            at = parsed.stop
        else:
            at = text.find(dialect.eol, at) + 1 or len(text)
    return _Probe(dialect.delimiter.decode(), records, Counter(len(record) for record in records))


def _is_idle(fields: Fields, dialect: Dialect) -> bool:
    first = fields[0] or b""
    return fields == [None] or bool(dialect.comment and first.startswith(dialect.comment))


def _delimiter_words(probe: _Probe, options: ReadOptions, *, declared: bool) -> str:
    name = _NAMES.get(probe.delimiter, f"`{probe.delimiter}`")
    if options.delimiter:
        return f"delimiter {name}: declared"
    if declared:
        return f"delimiter {name}: the first line says `sep=`"
    if probe.width <= 1:
        return "delimiter: none found, the file has one column"
    agreeing, asked = probe.widths[probe.width], len(probe.records)
    return f"delimiter {name}: {agreeing:,} of the first {asked:,} records have {probe.width} fields"


def _name_columns(found: Detected, probe: _Probe, options: ReadOptions, said: list[str]) -> Detected:
    if not probe.records:
        return replace(
            found, columns=options.columns or (), header=bool(options.header), why=(*said, "the file is empty")
        )
    first, body = probe.records[0], probe.records[1:]
    with_header, why = has_header(first, options)
    said.append(why)
    names, trailing = _names(first, body, with_header, options, said)
    decimal, thousands, how = number_style([[readable(cell or b"") for cell in record] for record in body], options)
    said += how
    return replace(
        found,
        header=with_header,
        columns=names,
        trailing=trailing,
        decimal=decimal,
        thousands=thousands,
        why=tuple(said),
    )


def has_header(first: Fields, options: ReadOptions) -> tuple[bool, str]:
    """Whether the first record holds the names, and how that was found out."""
    if options.header is not None:
        return options.header, "header: declared" if options.header else "no header: declared"
    cells = [readable(cell or b"").strip() for cell in first]
    if options.columns and cells == list(options.columns):
        return True, "header: the first record repeats the declared names"
    value = next((cell for cell in cells if _VALUE.match(cell)), None)
    if value is not None:
        return False, f"no header: the first record holds a value (`{value}`)"
    if not any(cells):
        return False, "no header: the first record is empty"
    return True, "header: the first record holds names only"


def _names(
    first: Fields, body: list[Fields], has_header: bool, options: ReadOptions, said: list[str]
) -> tuple[tuple[str, ...], bool]:
    """Unique names, and whether rows end in a delimiter."""
    rows = body if has_header else [first, *body]
    width = len(first) if has_header else Counter(len(row) for row in rows).most_common(1)[0][0]
    trailing = sum(len(row) == width + 1 and not row[-1] for row in rows) * 2 > len(rows)
    if not trailing and _ends_nameless(first if has_header else None, rows, width, options):
        width, trailing = width - 1, True
    if trailing:
        said.append("every record ends in a delimiter")
    if options.columns is not None:
        if len(options.columns) != width:
            raise UsageError(
                "SEG355",
                f"{len(options.columns)} names are declared under `columns`, the file has {width} columns",
                hint="list one name per column, in the file's order",
            )
        return options.columns, trailing
    given = [readable(cell or b"").strip() for cell in first[:width]] if has_header else [""] * width
    return unique_names(given, said), trailing


def _ends_nameless(header: Fields | None, rows: list[Fields], width: int, options: ReadOptions) -> bool:
    """The last column has neither name nor values: it is only the delimiter at the end of each record."""
    if width < 2 or any(len(row) >= width and row[-1] for row in rows):
        return False
    if options.columns is not None:
        return len(options.columns) == width - 1
    return header is not None and not (header[-1] or b"").strip()


def unique_names(given: list[str], said: list[str]) -> tuple[str, ...]:
    """The names with blanks filled and repeats numbered; what changed is noted in `said` unless all were blank."""
    names: list[str] = []
    taken = {name for name in given if name}
    for position, name in enumerate(given, start=1):
        wanted = name or f"column_{position}"
        chosen, number = wanted, 2
        while chosen in names or (chosen != name and chosen in taken):
            chosen, number = f"{wanted}_{number}", number + 1
        if chosen != name and any(given):
            said.append(
                f"column {position} "
                + (f"repeats the name `{name}`" if name else "has no name")
                + f": read as `{chosen}`"
            )
        names.append(chosen)
    return tuple(names)
