"""Which texts occur in the data, and how often: read once for each snapshot, kept beside the workspace's database."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.model.errors import SegctlError
from segctl.model.project import Definitions
from segctl.model.types import Kind, ValueType, stored_column

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session

FILE = "values.json"
MOST_VALUES = 1_000
"""More different texts than that are names and numbers, of which nobody lists all."""

_SCHEMA = 1


@dataclass(slots=True)
class ValueIndex:
    """Texts of traits and event properties with the number of profiles or events that have them.

    Attributes:
        definitions: What is declared.
        snapshot: Of the workspace's data.
        as_of: Valid time of traits.
        known: What was read before, by ``trait NAME`` or ``event KIND NAME``; None is too many.
    """

    definitions: Definitions
    snapshot: int
    as_of: datetime
    known: dict[str, dict[str, int] | None] = field(default_factory=dict)

    def trait_values(self, trait: str) -> Mapping[str, int] | None:
        """Texts of a stored trait or of the elements of a list; None when it is private or not known in full."""
        declared = self.definitions.project.trait(trait)
        if declared is None or declared.is_private or not _holds_texts(declared.type):
            return None
        key = f"trait {trait} {declared.type.storage_code}"
        return self._known(key, lambda session: self._read_trait(session, trait, declared.type))

    def property_values(self, event: str, name: str) -> Mapping[str, int] | None:
        """Texts of an event's property; None as above."""
        kind = self.definitions.project.event(event)
        of = kind.property_type(name) if kind is not None else None
        if of is None or not _holds_texts(of):
            return None
        key = f"event {event} {name} {of.storage_code}"
        return self._known(key, lambda session: _read_property(session, event, name, of))

    def _known(self, key: str, read: Callable[[Session], pl.Series]) -> Mapping[str, int] | None:
        """What is known under a key, read and saved when it is not yet."""
        if key not in self.known:
            try:
                with self._session() as session:
                    self._learn(key, read(session))
            except SegctlError:
                # Lint judges definitions; what is wrong with the data is told by whoever needs them.
                self.known[key] = None
        return self.known[key] or None

    def _read_trait(self, session: Session, trait: str, of: ValueType) -> pl.Series:
        from segctl.compile.lower import lower_trait
        from segctl.compile.plan import Output
        from segctl.operations.evaluation import evaluate

        wanted = Output("value", lower_trait(trait, self.definitions, lists=session.lists))
        found = evaluate(session, [], as_of=self.as_of, snapshot=self.snapshot, outputs=[wanted])
        return _texts(found.frame["value"], of)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        from segctl.operations.lists import ProjectLists
        from segctl.operations.session import Session
        from segctl.state.workspace import Workspace

        project = self.definitions.project
        with Workspace.open(Path(project.workspace)) as workspace:
            yield Session(self.definitions, workspace, ProjectLists(Path(project.root)))

    def _learn(self, key: str, values: pl.Series) -> None:
        counts = values.drop_nulls().value_counts(name="rows")
        texts = sorted(counts.iter_rows()) if counts.height <= MOST_VALUES else None
        self.known[key] = None if texts is None else {str(text): int(rows) for text, rows in texts}
        _save(Path(self.definitions.project.workspace) / FILE, self.snapshot, self.known)


def load_value_index(definitions: Definitions, as_of: datetime) -> ValueIndex | None:
    """What is known of the data of the project's environment; None without data, or when they cannot be read."""
    folder = Path(definitions.project.workspace)
    if not folder.is_dir():
        return None
    from segctl.state.workspace import DATABASE, Workspace

    if not (folder / DATABASE).is_file():
        return None
    try:
        with Workspace.open(folder) as workspace:
            snapshot = workspace.snapshot()
    except SegctlError:
        return None
    return ValueIndex(definitions, snapshot, as_of, _saved(folder / FILE, snapshot)) if snapshot else None


def _read_property(session: Session, event: str, name: str, of: ValueType) -> pl.Series:
    import polars as pl

    column, parts = stored_column(name, of), [pl.Series("value", [], dtype=pl.String)]
    for file in session.workspace.files("events"):
        if event in file.meta["kinds"] and column in file.meta["columns"]:
            scan = pl.scan_parquet(file.path)
            if len(file.meta["kinds"]) > 1:
                scan = scan.filter(pl.col("kind") == event)
            parts.append(_texts(scan.select(value=column).collect()["value"], of).cast(pl.String))
    return pl.concat(parts)


def _holds_texts(of: ValueType) -> bool:
    return of.kind is Kind.TEXT or (of.element is not None and of.element.kind is Kind.TEXT)


def _texts(values: pl.Series, of: ValueType) -> pl.Series:
    return values.explode() if of.kind is Kind.LIST else values


def _saved(path: Path, snapshot: int) -> dict[str, dict[str, int] | None]:
    """What an earlier call left for this snapshot; nothing when it is not there, of other data, or damaged."""
    with suppress(OSError, ValueError, AttributeError):
        found: dict[str, Any] = json.loads(path.read_bytes())
        if (found.get("schema"), found.get("snapshot")) == (_SCHEMA, snapshot):
            return dict(found["values"])
    return {}


def _save(path: Path, snapshot: int, values: Mapping[str, Mapping[str, int] | None]) -> None:
    """Left for the next call, whole or not at all; a folder that cannot be written to is no reason to fail."""
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    with suppress(OSError):
        text = json.dumps({"schema": _SCHEMA, "snapshot": snapshot, "values": values}, ensure_ascii=False)
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(path)
