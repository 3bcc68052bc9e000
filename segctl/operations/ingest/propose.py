"""A first declaration for a file, proposed from what stands in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from segctl.compile.source_nodes import NAME
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import IdentifierClass, Project
    from segctl.model.sources import Source
    from segctl.model.types import ValueType

SAMPLE_ROWS = 20_000
PROFILES = "profiles"
TRACKING = "tracking"
_LONGEST_NAME = 56  # of 63, so that a suffix fits
_ID_NAMES = ("event_id", "message_id", "uuid", "event_uuid", "id")
_NUMBERED = ("beleg", "bestellung", "rechnung", "order", "invoice", "transaction", "receipt", "ticket")
_FEWEST_NUMBERED = 20
"""In fewer rows even a column that is no number of anything may hold no value twice."""
_TIME_WORDS = ("time", "zeit", "date", "datum", "created", "timestamp", "_ts", "_at", "when")
_KEY_WORDS = (
    "customer_id", "customerid", "kundennr", "kundennummer", "kunden_nr", "user_id", "userid", "profile_id",
    "household_id", "client_id", "person_id", "member_id", "email", "e_mail", "user_pseudo_id", "device_id",
    "anonymous_id", "cust_id", "id",
)  # fmt: skip
_PERSONAL = re.compile(
    r"mail|phone|telefon|mobil|handy|(^|_)(first|last|full|sur|vor|nach)_?name|^name$|birth|geburt|geboren|street|stra(ss|ß)e"
    r"|address|adresse|hausn|postal|zip|plz|iban",
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a first try would declare.

    Attributes:
        name: Of the source.
        yaml: Text of ``sources/NAME.yaml``.
        declarations: What segctl.yaml lacks, as text to add by hand; empty when nothing.
        traits: Lacking traits, name to short type.
        events: Lacking event kinds, name to properties.
        properties: Lacking properties of declared events.
        identifiers: Lacking identifier types.
        notes: What was detected and decided.
        project: The project with what lacks added in memory.
        source: The bound declaration, None when it does not bind.
    """

    name: str
    yaml: str
    declarations: str
    traits: dict[str, str]
    events: dict[str, dict[str, str]]
    properties: dict[str, dict[str, str]]
    identifiers: dict[str, str]
    notes: tuple[str, ...]
    project: Project
    source: Source | None


def propose(project: Project, path: str, kind: str, *, key: tuple[str, ...] = (), time: str | None = None) -> Proposal:
    """A declaration for a file that has none.

    Args:
        project: Whose traits, events and identifiers are used where names agree.
        path: File, folder, pattern, or ``-`` for standard input.
        kind: ``profiles``, ``tracking`` or the event that every row is.
        key: ``TYPE=COLUMN`` each.
        time: Column with the event's time.

    Raises:
        UsageError: The columns for key or time cannot be found, or a given one is not there.
    """
    if kind == TRACKING:
        from segctl.operations.ingest.propose_tracking import propose_tracking

        return propose_tracking(project, path)
    if kind != PROFILES and not NAME.match(kind):
        raise UsageError("SEG315", f"`{kind}` is no name for an event", hint=f"write `--as {_slug(kind)}`")
    sample = _sample(project, path)
    keys = _keys(project, sample, key)
    used = set(keys.values())
    time_column = None if kind == PROFILES else _time_column(sample, time)
    event_id = None if kind == PROFILES else _event_id(sample, used)
    # The number of an order is worth having as a property too.
    plain_id = event_id if event_id is not None and _slug(event_id) in _ID_NAMES else None
    used |= {column for column in (time_column, plain_id) if column is not None}
    declared = _declared(project, kind)
    values = _names([column for column in sample.frame.columns if column not in used], kind)
    lacking = {name: sample.type_of(column) for name, column in values.items() if name not in declared}
    parts = _Parts(path, kind, keys, time_column, event_id, values)
    name = source_name(path, kind)
    text = _yaml(name, parts, sample)
    traits = lacking if kind == PROFILES else {}
    is_new = kind != PROFILES and project.event(kind) is None
    events = {kind: lacking} if is_new else {}
    properties = {kind: lacking} if kind != PROFILES and not is_new and lacking else {}
    known = {identifier.name for identifier in project.identifiers}
    identifiers = {name: "known" for name in keys if name not in known}
    extended, source, notes = bound_proposal(project, text, name, traits, events, properties, identifiers)
    declarations = declarations_text(traits, events, properties, identifiers)
    return Proposal(name, text, declarations, traits, events, properties, identifiers, (*sample.why, *notes),
                    extended, source)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sample:
    frame: pl.DataFrame
    lines: pl.Series
    path: str
    why: tuple[str, ...]
    decimal: str
    thousands: str | None
    missing: tuple[str, ...] = ()

    def type_of(self, column: str) -> str:
        from segctl.connectors.typing_guess import guess

        return guess(self.frame[column], column, self.decimal, self.thousands)


@dataclass(frozen=True, slots=True)
class _Parts:
    path: str
    kind: str
    keys: dict[str, str]
    time: str | None
    event_id: str | None
    values: dict[str, str]


def _sample(project: Project, path: str) -> _Sample:
    from segctl.connectors.files import detect, expand, read
    from segctl.operations.ingest.propose_notes import about_columns
    from segctl.operations.ingest.source import existing

    found = expand(Path(project.root), path)[0]
    first = existing(found)
    # Of a folder or a pattern one file is looked at, and what is said is said of that.
    path = path if Path(path) == found or Path(project.root, path) == found else str(found)
    detected = detect(first)
    batch = next(read(first, None, detected, batch_rows=SAMPLE_ROWS), None)
    if batch is None or batch.frame.width == 0:
        raise UsageError("SEG316", f"`{path}` has no rows to learn from", hint="name a file with rows")
    frame = _flattened(batch.frame.head(SAMPLE_ROWS))
    decimal, thousands = detected.decimal or ".", detected.thousands or None
    frame, missing = _without_words(frame, decimal, thousands)
    lines = batch.lines.head(SAMPLE_ROWS)
    why = (*detected.why, *about_columns(frame, lines, decimal, thousands))
    return _Sample(frame, lines, path, why, decimal, thousands, missing)


def _without_words(frame: pl.DataFrame, decimal: str, thousands: str | None) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The sample as it is once texts such as ``n/a`` are declared to be missing, and these texts."""
    import polars as pl

    from segctl.connectors.typing_guess import missing_words

    words = {word for column in frame for word in missing_words(column, column.name, decimal, thousands)}
    text = pl.col(pl.String)
    return frame.with_columns(pl.when(~text.str.strip_chars().is_in(sorted(words))).then(text)), tuple(sorted(words))


def _flattened(frame: pl.DataFrame) -> pl.DataFrame:
    """Nested records as columns named by their path."""
    import polars as pl

    columns: list[pl.Series] = []
    stack = list(reversed(frame.get_columns()))
    while stack:
        column = stack.pop()
        if isinstance(column.dtype, pl.Struct):
            names = [field.name for field in column.dtype.fields]
            stack += [column.struct.field(name).alias(f"{column.name}.{name}") for name in reversed(names)]
        else:
            columns.append(column)
    return pl.DataFrame(columns)


def _keys(project: Project, sample: _Sample, given: tuple[str, ...]) -> dict[str, str]:
    from segctl.compile.source_nodes import nearest

    columns = sample.frame.columns
    filled = [column for column in columns if sample.frame[column].null_count() < sample.frame.height]
    found: dict[str, str] = {}
    for text in given:
        name, sign, column = text.partition("=")
        if not sign or column not in columns:
            hint = nearest(column, columns) if sign else "write `--key customer_id=Kundennummer`"
            raise UsageError("SEG316", f"`--key {text}` names no column of `{sample.path}`", hint=hint)
        found[name] = column
    if found:
        return found
    slugs = {_slug(column): column for column in reversed(filled)}
    for identifier in project.identifiers:
        if identifier.name in slugs:
            found[identifier.name] = slugs[identifier.name]
    if found:
        return found
    for word in _KEY_WORDS:
        if word in slugs:
            primary = next(iter(project.identifiers), None)
            return {primary.name if primary is not None else word: slugs[word]}
    raise UsageError(
        "SEG316",
        f"no column of `{sample.path}` looks like an identifier",
        why=f"its columns: {', '.join(columns[:20])}",
        hint="name it: `--key customer_id=COLUMN`",
    )


def _time_column(sample: _Sample, given: str | None) -> str:
    from segctl.compile.source_nodes import nearest
    from segctl.connectors.typing_guess import is_mostly_time

    columns = sample.frame.columns
    if given is not None:
        if given not in columns:
            raise UsageError("SEG317", f"`{given}` is no column of `{sample.path}`", hint=nearest(given, columns))
        return given
    timed = [column for column in columns if sample.type_of(column) in ("time", "date") or _epoch(sample, column)]
    timed = timed or [column for column in columns if is_mostly_time(sample.frame[column])]
    named = [column for column in timed if any(word in _slug(column) for word in _TIME_WORDS)]
    if not timed:
        from segctl.operations.ingest.propose_notes import nearest_time

        hint, why = "name it: `--time COLUMN`", nearest_time(sample.frame, sample.lines)
        raise UsageError("SEG317", f"no column of `{sample.path}` holds times throughout", why=why, hint=hint)
    # A row whose time is missing is bad: a column that is always filled goes first, else the fullest.
    gaps = {column: sample.frame[column].null_count() for column in timed}
    return min(timed, key=lambda column: (gaps[column] > 0, column not in named, gaps[column]))


def _epoch(sample: _Sample, column: str) -> str | None:
    from segctl.connectors.typing_guess import epoch_format

    return epoch_format(sample.frame[column], column)


def _event_id(sample: _Sample, used: set[str]) -> str | None:
    from segctl.connectors.typing_guess import is_id_like

    frame = sample.frame
    unique = [
        column
        for column in frame.columns
        if column not in used and frame[column].null_count() == 0 and _is_unique(frame[column])
    ]
    for column in unique:
        if _slug(column) in _ID_NAMES:
            return column
    if frame.height < _FEWEST_NUMBERED:
        return None
    return next((c for c in unique if is_id_like(c) or _slug(c) in _NUMBERED), None)


def _is_unique(column: pl.Series) -> bool:
    return not column.dtype.is_nested() and column.n_unique() == len(column)


def _names(columns: list[str], kind: str) -> dict[str, str]:
    """A name for each column: free to use, and each only once."""
    from segctl.compile.bind.declarations import RESERVED_PROPERTIES, RESERVED_TRAITS

    reserved = RESERVED_TRAITS if kind == PROFILES else RESERVED_PROPERTIES
    found: dict[str, str] = {}
    for column in columns:
        slug = _slug(column)[:_LONGEST_NAME]
        name = f"{slug}_value" if slug in reserved else slug
        number = 1
        while name in found:
            number += 1
            name = f"{slug}_{number}"
        found[name] = column
    return found


def _declared(project: Project, kind: str) -> set[str]:
    if kind == PROFILES:
        return {trait.name for trait in project.traits}
    event = project.event(kind)
    return set() if event is None else {name for name, _ in event.properties}


def _slug(column: str) -> str:
    folded = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).casefold().translate(_UMLAUTS)
    slug = re.sub(r"[^a-z0-9]+", "_", folded).strip("_")
    return slug if slug and slug[0].isalpha() else f"c_{slug}"


def source_name(path: str, kind: str) -> str:
    """A name for the source of a file; that of its rows for standard input."""
    if path == "-":
        return _slug(kind)
    stem = re.sub(r"[*?\[\]]", "", Path(path).name).split(".")[0]
    return _slug(stem) if stem.strip("_-") else _slug(kind)


def _yaml(name: str, parts: _Parts, sample: _Sample) -> str:
    lines = [f"source: {name}", "kind: file", f"path: {quoted(parts.path)}", "picture: log", "key:"]
    lines += [f"  {identifier}: {quoted(column)}" for identifier, column in parts.keys.items()]
    if sample.missing:
        lines.append(f"missing_values: [{', '.join(json.dumps(word, ensure_ascii=False) for word in sample.missing)}]")
    lines.append("max_bad_rows: 1 %")
    if parts.kind == PROFILES:
        lines += ["profiles:", *(f"  {name}: {quoted(column)}" for name, column in parts.values.items())]
        return "\n".join(lines) + "\n"
    time = parts.time or ""
    epoch = _epoch(sample, time)
    shown = f"{{column: {quoted(time)}, format: {epoch}}}" if epoch else quoted(time)
    lines += ["events:", f"  - event: {parts.kind}", f"    time: {shown}"]
    if parts.event_id is not None:
        lines.append(f"    id: {quoted(parts.event_id)}")
    if parts.values:
        lines += ["    properties:", *(f"      {name}: {quoted(column)}" for name, column in parts.values.items())]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A YAML scalar that stays text."""
    is_plain = _PLAIN.match(text) is not None and text.lower() not in ("null", "true", "false")
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def trait_words(name: str, of: str) -> str:
    """How a lacking trait is declared: what names a person or how to reach them is personal until somebody decides."""
    if not _PERSONAL.search(name):
        return of
    inner = of.strip("{}") if of.startswith("{") else f"type: {of}"
    return f"{{{inner}, personal: true}}"


def declarations_text(
    traits: dict[str, str],
    events: dict[str, dict[str, str]],
    properties: dict[str, dict[str, str]],
    identifiers: dict[str, str],
) -> str:
    """What segctl.yaml lacks, as YAML to add by hand."""
    lines: list[str] = []
    if identifiers:
        lines += ["identifiers:", *(f"  {name}: {{class: {known}}}" for name, known in identifiers.items())]
    if traits:
        lines += ["traits:", *(f"  {name}: {trait_words(name, of)}" for name, of in traits.items())]
    if events or properties:
        lines.append("events:")
    for event, of in {**events, **properties}.items():
        inner = ["    properties:", *(f"      {name}: {kind}" for name, kind in of.items())]
        lines += [f"  {event}:", *inner] if of else [f"  {event}: {{}}"]
    return "\n".join(lines) + "\n" if lines else ""


def bound_proposal(
    project: Project,
    text: str,
    name: str,
    traits: dict[str, str],
    events: dict[str, dict[str, str]],
    properties: dict[str, dict[str, str]],
    identifiers: dict[str, str],
) -> tuple[Project, Source | None, tuple[str, ...]]:
    """The project with what it lacks, the declaration bound in it, and what is wrong with that."""
    from segctl.compile.sources import bind_source_text
    from segctl.connectors.typing_guess import declared_type
    from segctl.model.project import EventKind, IdentifierType, StoredTrait

    new_traits = tuple(StoredTrait(trait, declared_type(of)) for trait, of in traits.items())

    def types(of: dict[str, str]) -> tuple[tuple[str, ValueType], ...]:
        return tuple((property_, declared_type(kind)) for property_, kind in of.items())

    new_events = tuple(EventKind(event, types(of)) for event, of in events.items())
    known = tuple(
        replace(event, properties=(*event.properties, *types(properties.get(event.name, {}))))
        for event in project.events
    )
    extended = replace(
        project,
        traits=(*project.traits, *new_traits),
        events=(*known, *new_events),
        identifiers=(
            *project.identifiers,
            *(IdentifierType(identifier, cast("IdentifierClass", known)) for identifier, known in identifiers.items()),
        ),
    )
    source, findings = bind_source_text(text, f"sources/{name}.yaml", extended)
    return extended, source, tuple(f"{finding.location}: {finding.message}" for finding in findings)
