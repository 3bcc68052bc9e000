"""Files: the membership of an audience, or its changes, in a folder of its own with a manifest.

``FOLDER/DESTINATION/AUDIENCE/TIME_PUSH.csv``. A file appears whole or not at all. With `contents: full` the newest file
holds everybody; each batch of a push writes it anew, so it is right at any moment. With `contents: delta` each batch is
a file of its own, whose name says what happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    Member,
    Recorded,
    Remote,
    Row,
    Sent,
)
from segctl.connectors.destinations.file_formats import (
    ENDINGS,
    FORMATS,
    SIGNS,
    Form,
    decoded,
    encoded,
    form_of,
    frame_of,
    rewritten,
    unescaped,
)
from segctl.connectors.destinations.file_manifest import (
    Delivered,
    Manifest,
    digest,
    folder_name,
    manifests,
    read_manifest,
    unwritable,
    write_file,
    write_manifest,
)
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.errors import DataError

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 50_000
ABILITIES = Abilities(
    identifiers=("email", "phone", "external_id"),
    channel="email",
    batch_rows=MOST_ROWS,
    recipient="file",
    reads_back=True,
    brings_along=True,
)
OPTIONS = (
    Option("folder", "text", "where the files go, relative to the project", default="out"),
    Option("format", "choice", "csv-excel is CSV with semicolons and a mark for Excel", default="csv", choices=FORMATS),
    Option("contents", "choice", "everybody in each file, or only what has changed", default="full",
           choices=("full", "delta")),
    Option("delimiter", "choice", "of CSV; comma, for csv-excel semicolon, where it is not given",
           choices=tuple(SIGNS)),
    Option("escape_formulas", "boolean", "a text that a spreadsheet would run gets a `'` before it, in CSV",
           default=True),
    Option("keep", "integer", "how many files with everybody stay", default=3),
)  # fmt: skip
_SHOWN_BYTES = 100_000


def abilities(destination: Destination) -> Abilities:
    """Only what the declaration names leaves the house; changes cannot be read back, since they are collected."""
    names = tuple(name for name, _ in destination.identify)
    reads_back = destination.options.get("contents") != "delta"
    return replace(ABILITIES, identifiers=names or ABILITIES.identifiers, reads_back=reads_back)


def connect(destination: Destination, around: Around) -> Files:
    """Its connector."""
    return Files(destination, around)


class Files:
    """The folder of one destination."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, options = destination, around, destination.options
        self.root = around.root / Path(options.get("folder", "out")).expanduser() / destination.name
        self.is_full = options.get("contents", "full") == "full"
        self.keep = max(1, options.get("keep", 3))
        name = options.get("format", "csv")
        sign = SIGNS[options.get("delimiter") or ("semicolon" if name == "csv-excel" else "comma")]
        self.form = Form(name, sign, options.get("escape_formulas", True), frozenset({"phone"}))

    def check(self) -> tuple[Probe, ...]:
        """Looks whether the folder, or the one that it would be made in, can be written."""
        import os

        there = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            hint = "correct `folder`, or give the user that runs segctl the right to write there"
            return (Probe("reachable", "problem", f"`{there}` cannot be written", hint),)
        made = "" if there == self.root else "; the folder is made with the first push"
        return (Probe("reachable", "ok", f"`{there}` can be written{made}"),)

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - what every connector is asked
        """The name itself, as its folder has it."""
        return folder_name(name)

    def moved(self, former: str, audience: str, segment: str) -> bool:
        """The folder of a renamed segment with all its files; it stays where its new place is taken.

        Returns:
            Whether its files are in the new place.

        Raises:
            LocalIOError: It cannot be moved.
        """
        old, new = self.root / former, self.root / audience
        manifest = read_manifest(old)
        if self.around.record is not None or manifest is None or new.exists():
            return manifest is None and new.exists()
        try:
            old.rename(new)
        except OSError as error:
            raise unwritable(old, error) from None
        write_manifest(new, replace(manifest, segment=segment, audience=audience))
        return True

    def send(self, batch: Batch) -> Sent:
        """One file for the batch, or the file with everybody written anew."""
        folder = self.root / batch.audience
        before = read_manifest(folder) or Manifest(self.destination.name, batch.segment, batch.audience)
        before = replace(before, segment=batch.segment, audience=batch.audience)
        frame = frame_of(batch.rows, self._columns(batch), self.form)
        push = batch.context.get("push", batch.id)
        stem = f"{batch.at.astimezone(UTC):%Y%m%dT%H%M%SZ}_{folder_name(push)}"
        batches: tuple[str, ...] = (batch.id,)
        if self.is_full:
            frame = merged(self._current(folder, before), frame, batch.action, self._known_by(frame))
            same = next((file.batches for file in before.files if file.name.startswith(f"{stem}.")), ())
            batches = tuple(dict.fromkeys((*same, batch.id)))
        else:
            stem = f"{stem}_{folder_name(batch.id)}_{batch.action}"
        name = f"{stem}.{ENDINGS[self.form.format]}"
        action = "full" if self.is_full else batch.action
        about = {"segment": batch.segment, "action": action, "at": batch.at.isoformat(), "push": push}
        data = encoded(frame, self.form, about)
        if self.around.record is not None:
            shown = "" if self.form.format == "parquet" else data[:_SHOWN_BYTES].decode(errors="replace")
            path = folder / name
            place = path.relative_to(self.around.root) if path.is_relative_to(self.around.root) else path
            self.around.record(Recorded(f"write {place}", shown, len(batch.rows)))
            return Sent()
        write_file(folder / name, data)
        at, form = batch.at.isoformat(), self.form.words
        file = Delivered(name, action, at, push, len(frame), len(data), digest(data), form, batches)
        write_manifest(folder, before.with_file(file, keep=self.keep))
        return Sent()

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - what every connector is asked
        """Nothing goes on."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """As they are."""
        names = abilities(self.destination).identifiers
        return {name: row.identifiers[name] for name in names if name in row.identifiers}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody in the newest file."""
        folder = self.root / audience
        manifest = read_manifest(folder)
        frame = None if manifest is None else self._current(folder, manifest)
        if frame is None:
            return
        names = [name for name in abilities(self.destination).identifiers if name in frame.columns]
        for values in unescaped(frame, self.form).select(names).iter_rows():
            yield Member({name: value for name, value in zip(names, values, strict=True) if value})

    def audiences(self) -> Iterator[Remote]:
        """Folders with a manifest."""
        for folder, manifest in manifests(self.root):
            rows = next((file.rows for file in manifest.files if file.name == manifest.current), None)
            yield Remote(folder.name, manifest.audience, rows)

    def close(self) -> None:
        """Nothing is open."""

    def _columns(self, batch: Batch) -> list[str]:
        """Identifiers that the declaration names, or that occur, and every field of it: the same in each file."""
        declared = [name for name, _ in self.destination.identify]
        occurring = {name for row in batch.rows for name in row.identifiers}
        names = declared or [name for name in ABILITIES.identifiers if name in occurring]
        fields = [name for name, _ in self.destination.fields]
        if not fields:
            fields = list(dict.fromkeys(name for row in batch.rows for name in row.fields))
        return [*names, *(name for name in fields if name not in names)]

    def _known_by(self, frame: pl.DataFrame) -> list[str]:
        return [name for name in abilities(self.destination).identifiers if name in frame.columns]

    def _current(self, folder: Path, manifest: Manifest) -> pl.DataFrame | None:
        """The file with everybody; None before the first."""
        if manifest.current is None:
            return None
        path = folder / manifest.current
        words = next((file.form for file in manifest.files if file.name == manifest.current), self.form.words)
        form = form_of(words, self.form.phones)
        try:
            return rewritten(decoded(path.read_bytes(), form), form, self.form)
        except FileNotFoundError:
            raise DataError(
                "SEG905",
                f"`{path}`, which held the audience's members, is gone",
                why="changes cannot be added to it",
                hint="put it back; or move the folder away, and `segctl reconcile` delivers everybody anew",
            ) from None
        except OSError as error:
            raise unwritable(path, error) from None


def merged(before: pl.DataFrame | None, batch: pl.DataFrame, action: str, known_by: list[str]) -> pl.DataFrame:
    """The membership after a batch, sorted by what people are known by.

    Args:
        before: As the last file has it; None without one.
        batch: People of the batch.
        action: What happens to them.
        known_by: Columns that tell people apart.
    """
    import polars as pl

    if before is None or not before.width:
        before = batch.clear()
    # A kind of identifier that nobody has had so far.
    missing = [pl.lit("").alias(name) for name in known_by if name not in before.columns]
    before = before.with_columns(missing)
    if action == "update":
        batch = batch.join(before, on=known_by, how="semi", nulls_equal=True)
    others = before.join(batch, on=known_by, how="anti", nulls_equal=True)
    if action == "remove":
        return others.sort(known_by)
    together = pl.concat([others, batch.unique(known_by, keep="last", maintain_order=True)], how="diagonal_relaxed")
    return together.select([*batch.columns, *(n for n in together.columns if n not in batch.columns)]).sort(known_by)
