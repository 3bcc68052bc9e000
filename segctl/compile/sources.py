"""Binding of `sources/*.yaml`: YAML nodes to source declarations, with every mistake named at its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping as Lookup
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import cast

from segctl.compile.checks import bind_checks
from segctl.compile.contracts import KEYS as CONTRACT_KEYS
from segctl.compile.contracts import bind_contract
from segctl.compile.fetching import BINDERS, bind_fetch, foreign_keys, kind_of
from segctl.compile.fetching_presets import with_preset
from segctl.compile.files import definition_files, misnamed_files
from segctl.compile.source import ListNode, Mapping, Node, Scalar, compose, compose_file
from segctl.compile.source_consents import bind_consents
from segctl.compile.source_filters import bind_filter
from segctl.compile.source_nodes import NAME, Reader
from segctl.compile.source_rows import bind_rows_rule
from segctl.compile.source_rules import (
    Surroundings,
    bind_event_rule,
    bind_instants,
    bind_key,
    bind_numbers,
    bind_traits,
)
from segctl.compile.tracking import KEYS as TRACKING_KEYS
from segctl.compile.tracking import bind_tracking
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.project import Project
from segctl.model.sources import DEFAULT_LIMIT, NO_LIMIT, CsvForm, EventRule, Format, Limit, Picture, Source

FOLDER = "sources"
KEYS = (
    "source", "kind", "preset", "title", "description", "path", "format", "csv", "json", "sheet", "picture", "key",
    "empty", "missing_values", "max_bad_rows", "only", "corrections", "record_time", "profiles", "events", "related",
    "consents",
    *TRACKING_KEYS, *CONTRACT_KEYS,
)  # fmt: skip
"""Keys of a declaration, and the name of its kind for the settings of that kind."""
_CSV_KEYS = ("delimiter", "quote", "decimal", "thousands", "encoding", "header", "skip_rows", "columns")
_FORMATS = ("csv", "json", "ndjson", "parquet", "xlsx")
_SIGNS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "blank": " "}
LIMIT_HINT = "write a count (`20`) or a share (`1 %`)"
_LIMIT = re.compile(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*(%|rows?)?\s*\Z")


def load_sources(
    project: Project, contents: Lookup[str, bytes] | None = None
) -> tuple[dict[str, Source], list[Diagnostic]]:
    """All declared sources by name, and everything that is wrong with them.

    A file with an error gives no source. Contents stand in for files on disk, by path in the project.
    """
    sources: dict[str, Source] = {}
    diagnostics = list(misnamed_files(project, FOLDER))
    for path in source_files(project):
        shown = path.relative_to(project.root).as_posix()
        known = contents.get(shown) if contents is not None else None
        source, found = bind_source_file(path, project) if known is None else bind_source_text(known, shown, project)
        diagnostics += found
        if source is None:
            continue
        if source.name in sources:
            other = sources[source.name].file
            message = f"the source `{source.name}` is declared twice"
            hint = f"it stands in `{other}` too"
            diagnostics.append(Diagnostic("SEG305", Severity.ERROR, message, source.location, hint=hint))
            continue
        sources |= {part.name: part for part in source.parts}
    return dict(sorted(sources.items())), diagnostics


def source_files(project: Project) -> list[Path]:
    """The declaration files of a project, sorted."""
    return [Path(project.root) / path for path in definition_files(project, FOLDER)]


def bind_source_file(path: Path, project: Project) -> tuple[Source | None, list[Diagnostic]]:
    """One declaration file; None when it has an error."""
    root = Path(project.root)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    node, diagnostics = compose_file(path, shown)
    return _checked(node, diagnostics, project)


def bind_source_text(text: str | bytes, file: str, project: Project) -> tuple[Source | None, list[Diagnostic]]:
    """A declaration given as text; None when it has an error."""
    node, diagnostics = compose(text, file)
    return _checked(node, diagnostics, project)


def _checked(
    node: Node | None, diagnostics: list[Diagnostic], project: Project
) -> tuple[Source | None, list[Diagnostic]]:
    if node is None:
        return None, diagnostics
    reader = Reader()
    source = _bind(node, reader, project)
    diagnostics = diagnostics + reader.diagnostics
    if any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        return None, diagnostics
    return source, diagnostics


def _bind(node: Node, reader: Reader, project: Project) -> Source | None:
    own = foreign_keys(node) if isinstance(node, Mapping) else ()
    root = reader.mapping(node, "a source", (*KEYS, *BINDERS, *own))
    if root is None:
        return None
    root = with_preset(root, reader, project)
    csv = reader.mapping(root.get("csv"), "`csv`", _CSV_KEYS)
    around = Surroundings(reader, project)
    kind = kind_of(root, around)
    source = Source(
        name=_name(root, reader),
        paths=_paths(root, reader) if kind == "file" else (),
        # What is fetched waits for its reading as NDJSON.
        format=_format(root, reader) if kind == "file" else "ndjson",
        csv=_csv(csv, reader),
        records=_records(root, reader),
        sheet=reader.text(root.get("sheet"), "`sheet`"),
        picture=cast("Picture", reader.choice(root.get("picture"), "`picture`", ("log", "full"), "log")),
        key=bind_key(root.get("key"), around),
        keeps_on_empty=reader.choice(root.get("empty"), "`empty`", ("missing", "keep"), "missing") == "keep",
        missing_values=tuple(word.strip() for word in reader.texts(root.get("missing_values"), "`missing_values`")),
        max_bad_rows=_limit(root.get("max_bad_rows"), reader, kind),
        only=bind_filter(root.get("only"), reader),
        corrections_replace=_corrections(root, reader),
        traits=bind_traits(_trait_names(root), around),
        events=() if root.get("tracking") is not None else _events(root, around),
        rows=bind_rows_rule(root.get("related"), around),
        fetch=bind_fetch(kind, root, around),
        contract=bind_contract(root, reader, Path(project.root)),
        checks=bind_checks(root.get("checks"), reader),
        consents=bind_consents(root.get("consents"), around, root.get("tracking")),
        file=root.location.file,
        location=root.location,
    )
    record_time = root.get("record_time")
    if root.get("tracking") is not None:
        source = bind_tracking(source, root, around)
        return replace(_digested(source), also=tuple(_digested(part) for part in source.also))
    if record_time is not None:
        source = replace(source, record_time=bind_instants(record_time, "`record_time`", around))
    _check_whole(source, root, reader)
    return _digested(source)


def _digested(source: Source) -> Source:
    told = source.contract.only_told or None if source.contract is not None else None
    parts = (source.tracking, source.contract, told, source.rows, source.consents or None)
    further = [part for part in parts if part is not None]
    # Where files lie and how many of their rows may be bad changes nothing about those that were read.
    lasting = replace(source, paths=(), max_bad_rows=DEFAULT_LIMIT)
    meaning = " ".join(map(repr, (lasting, *further)))
    return replace(source, digest=hashlib.sha256(meaning.encode()).hexdigest())


def _trait_names(root: Mapping) -> Node | None:
    """The traits under `profiles`; tracking records may say one word there instead."""
    node = root.get("profiles")
    is_word = isinstance(node, Scalar) and root.get("tracking") is not None
    return None if is_word else node


def _name(root: Mapping, reader: Reader) -> str:
    node = root.get("source")
    if node is None:
        reader.error("SEG300", root, "the source has no name", hint="begin the file with `source: orders`")
        return ""
    name = reader.text(node, "`source`") or ""
    if not NAME.match(name):
        hint = "names are small letters, digits and `_`, and start with a letter"
        reader.error("SEG305", node, f"`{name}` is no name for a source", hint=hint)
    return name


def _paths(root: Mapping, reader: Reader) -> tuple[str, ...]:
    paths = reader.texts(root.get("path"), "`path`")
    if root.get("path") is None:
        reader.error("SEG300", root, "the source has no `path`", hint="name its files: `path: data/orders*.csv`")
    return paths


def _format(root: Mapping, reader: Reader) -> Format | None:
    node = root.get("format")
    return None if node is None else cast("Format", reader.choice(node, "`format`", _FORMATS, "csv"))


def _csv(node: Mapping | None, reader: Reader) -> CsvForm:
    if node is None:
        return CsvForm()
    quote = node.get("quote")
    numbers = bind_numbers(node, reader)
    return CsvForm(
        delimiter=reader.sign(node.get("delimiter"), "`delimiter`", names=_SIGNS),
        # The empty text says that nothing is quoted.
        quote=""
        if isinstance(quote, Scalar) and quote.text in ("", "none")
        else reader.sign(quote, "`quote`", names={}),
        decimal=None if numbers is None else numbers.decimal,
        thousands=None if numbers is None else numbers.thousands,
        encoding=reader.text(node.get("encoding"), "`encoding`"),
        header=reader.truth(node.get("header"), "`header`"),
        skip_rows=reader.whole(node.get("skip_rows"), "`skip_rows`") or 0,
        columns=reader.texts(node.get("columns"), "`columns`"),
    )


def _records(root: Mapping, reader: Reader) -> str | None:
    node = reader.mapping(root.get("json"), "`json`", ("records",))
    return None if node is None else reader.text(node.get("records"), "`records`")


def _limit(node: Node | None, reader: Reader, kind: str) -> Limit:
    text = reader.text(node, "`max_bad_rows`")
    if text is None or node is None:
        # A broken export is refused whole, but requests come from many: one sender must not keep the others out.
        return NO_LIMIT if kind == "collector" else DEFAULT_LIMIT
    found = parse_limit(text)
    if found is None:
        reader.error("SEG304", node, f"`{text}` is no limit of bad rows", hint=LIMIT_HINT)
        return DEFAULT_LIMIT
    return found


def parse_limit(text: str) -> Limit | None:
    """A count or a share of bad rows, None when the text is neither."""
    match = _LIMIT.match(text)
    if match is None or ("." in match[1] and match[2] != "%"):
        return None
    return Limit(share=Decimal(match[1]) / 100) if match[2] == "%" else Limit(count=int(match[1]))


def _corrections(root: Mapping, reader: Reader) -> bool:
    return reader.choice(root.get("corrections"), "`corrections`", ("keep", "replace"), "keep") == "replace"


def _events(root: Mapping, around: Surroundings) -> tuple[EventRule, ...]:
    node = root.get("events")
    if node is None:
        return ()
    if not isinstance(node, ListNode):
        around.reader.error("SEG300", node, "`events` is a list", hint="write `- event: …` below it")
        return ()
    rules: list[EventRule] = []
    taken: set[tuple[object, ...]] = set()
    for item in node.items:
        rule = bind_event_rule(item, around)
        if rule is None:
            continue
        # Two rules over one row would mint the same event id; the later one gets a space of its own.
        place = (rule.identity, rule.each)
        rules.append(replace(rule, id_space=f":{rule.event or len(rules)}") if place in taken else rule)
        taken.add(place)
    return tuple(rules)


def _check_whole(source: Source, root: Mapping, reader: Reader) -> None:
    for name in TRACKING_KEYS:
        key = root.key(name)
        if key is not None:
            reader.error("SEG303", key, f"`{name}` is for tracking records", hint="say which: `tracking: segment`")
    given = [name for name in ("profiles", "events", "related") if root.get(name) is not None]
    has_profiles, has_events, has_rows = (name in given for name in ("profiles", "events", "related"))
    if len(given) != 1:
        message = "a source has one of `profiles`, `events` and `related`"
        hint = "declare two sources over the same file"
        if not given:
            message, hint = "the source says nothing about rows", "add `profiles:`, `events:` or `related:`"
        reader.error("SEG303", root, message, hint=hint)
    if (has_profiles or has_rows) and root.get("key") is None:
        what = "profiles need" if has_profiles else "rows of a table need"
        reader.error("SEG303", root, f"{what} a `key`", hint="name the column that says who it is")
    for name in ("record_time", "empty"):
        key = root.key(name)
        if has_events and key is not None:
            reader.error("SEG303", key, f"`{name}` is for profiles; events carry their own time")
    if has_rows and (key := root.key("empty")) is not None:
        reader.error("SEG303", key, "`empty` is for profiles; an empty cell of a row is missing")
    if has_events and source.picture == "full":
        place = root.key("picture") or root
        reader.error("SEG303", place, "a full picture is for profiles; events are a log", hint="delete the line")
    if not has_events and source.corrections_replace:
        place = root.key("corrections") or root
        reader.error("SEG303", place, "`corrections` is for events; the later record wins anyway")
