"""Contact points of people as tokens, for evaluations: made once for each immutable file and kept beside it.

An HMAC for each of a million addresses costs seconds, and the files that hold them never change. So the tokens of a
file lie in the workspace's `cache/points/`, and of identifiers those of the first so many subjects, whose meaning never
changes either. Whatever is there can be made again at any time; what belongs to files that are gone is thrown away.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.types import Kind, stored_column

if TYPE_CHECKING:
    import polars as pl

    from segctl.consent.tokens import Keyring
    from segctl.engines.profiles import RecordFile
    from segctl.operations.session import Session

FOLDER = "cache/points"
_AT_ONCE = 200_000


class ContactPoints:
    """Tokens of the contact points that a snapshot knows.

    Args:
        session: Open project and workspace.
        keyring: Of the ledger.
        snapshot: Which identifiers are known.
    """

    def __init__(self, session: Session, keyring: Keyring, snapshot: int) -> None:
        self.session, self.keyring, self.snapshot = session, keyring, snapshot
        self._folder = session.workspace.folder / FOLDER
        self._kinds = dict(session.project.contact_points)
        names = ",".join(name for name, _ in keyring.keys) + f",{session.project.identity.country}"
        self._mark = hashlib.sha256(names.encode()).hexdigest()[:12]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds that the project knows contact points of."""
        return tuple(self._kinds)

    def of_identifiers(self, kind: str, subjects: pl.Series | None = None) -> pl.DataFrame:
        """``subject`` Int32, ``point`` Binary (null where malformed): identifiers that are contact points of a kind.

        Args:
            kind: Of contact point.
            subjects: Only these; None for all.
        """
        import polars as pl

        known = {one.name for one in self.session.project.identifiers}
        names = [name for name in self._kinds.get(kind, ()) if name in known]
        parts = [self._identifiers(kind, name, subjects) for name in names]
        return pl.concat([_nobody(), *(part.select("subject", "point") for part in parts)])

    def of_records(self, kind: str, files: Sequence[RecordFile]) -> pl.DataFrame:
        """``subject`` Int32, ``arrival`` Int64, ``point`` Binary (null where malformed): one row per record version.

        Args:
            kind: Of contact point.
            files: Record files; tokens of rows that are held in memory are not kept.
        """
        import polars as pl

        parts = [_nobody().with_columns(pl.lit(0, pl.Int64).alias("arrival")).clear()]
        for name in self._kinds.get(kind, ()):
            trait = self.session.project.trait(name)
            column = None if trait is None or trait.type.kind is not Kind.TEXT else stored_column(name, trait.type)
            if column is not None:
                told = (file for file in files if column in file.columns and file.rows)
                parts += [self._records(kind, column, file) for file in told]
        return pl.concat([part.select("subject", "arrival", "point") for part in parts])

    def sweep(self, files: Iterable[RecordFile]) -> None:
        """Throws away what belongs to other files than these, or to other keys."""
        kept = {Path(file.path).stem for file in files}
        with suppress(OSError):
            for path in self._folder.iterdir():
                stem = path.name.split("@")[0]
                if not path.name.startswith("identifier=") and stem not in kept:
                    path.unlink(missing_ok=True)

    # --- Inside -------------------------------------------------------------------------------------------
    def _identifiers(self, kind: str, name: str, subjects: pl.Series | None) -> pl.DataFrame:
        import polars as pl

        from segctl.state.subjects import Subjects, subject_count

        rows = Subjects(self.session.workspace).table(self.snapshot).filter(pl.col("id_type") == name)
        if subjects is not None:
            few = rows.filter(pl.col("subject").is_in(subjects.implode())).select("subject", "value").collect()
            return few.with_columns(self._tokens(kind, few["value"]))
        path = self._path(f"identifier={name}", kind)
        known, done = self._read(path), 0
        count = subject_count(self.session.workspace, self.snapshot)
        if known is not None:
            done = int(known["until"][0]) if known.height else 0
        if known is None or done < count:
            new = rows.filter(pl.col("subject") >= done).select("subject", "value").collect()
            fresh = new.select("subject").with_columns(self._tokens(kind, new["value"]))
            old = fresh.clear() if known is None else known.select("subject", "point")
            known = pl.concat([old, fresh]).with_columns(pl.lit(count, pl.Int32).alias("until"))
            self._write(path, known)
        return known.filter(pl.col("subject") < count)

    def _records(self, kind: str, column: str, file: RecordFile) -> pl.DataFrame:
        import polars as pl

        path = self._path(f"{Path(file.path).stem}@{hashlib.sha256(column.encode()).hexdigest()[:8]}", kind)
        known = self._read(path) if file.held is None else None
        if known is not None:
            return known
        country = self._country_column(file) if kind == "phone" else None
        wanted = ["subject", "arrival", column, *([country] if country else [])]
        held = file.held
        scan = pl.scan_parquet(file.path, glob=False, hive_partitioning=False) if held is None else held.lazy()
        rows = scan.select(wanted).filter(pl.col(column).str.strip_chars() != "").collect()
        countries = rows[country] if country else None
        found = rows.select("subject", pl.col("arrival").cast(pl.Int64)).with_columns(
            self._tokens(kind, rows[column], countries)
        )
        if held is None:
            self._write(path, found)
        return found

    def _country_column(self, file: RecordFile) -> str | None:
        name = self.session.project.identity.country_trait
        trait = None if name is None else self.session.project.trait(name)
        column = None if trait is None else stored_column(trait.name, trait.type)
        return column if column in file.columns else None

    def _tokens(self, kind: str, values: pl.Series, countries: pl.Series | None = None) -> pl.Series:
        """Tokens row by row; each distinct value is worked out once."""
        import polars as pl

        if kind == "phone":
            values = _phones(values, countries, self.session.project.identity.country)
        distinct = values.unique(maintain_order=True)
        made = [pl.Series("point", [], dtype=pl.Binary)]
        for start in range(0, len(distinct), _AT_ONCE):
            some = distinct.slice(start, _AT_ONCE).to_list()
            made.append(pl.Series("point", self.keyring.points(kind, some), dtype=pl.Binary))
        if len(distinct) == len(values):
            return pl.concat(made)
        known = pl.DataFrame({"value": distinct, "point": pl.concat(made)})
        rows = values.alias("value").to_frame()
        return rows.join(known, on="value", how="left", maintain_order="left", nulls_equal=True)["point"]

    def _path(self, name: str, kind: str) -> Path:
        return self._folder / f"{name}@{kind}@{self._mark}.parquet"

    def _read(self, path: Path) -> pl.DataFrame | None:
        import polars as pl

        try:
            return pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError):
            # What is torn is made again: nothing rests on it.
            return None

    def _write(self, path: Path, frame: pl.DataFrame) -> None:
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            frame.write_parquet(fresh, compression="lz4")
            fresh.replace(path)


def wide_tokens(points: pl.DataFrame, keys: int) -> pl.DataFrame:
    """The frame with one row for each key: ``wide`` Binary, the token that all spellings of the point share."""
    import polars as pl

    parts = [
        points.with_columns(pl.col("point").bin.slice(32 * number + 16, 16).alias("wide")) for number in range(keys)
    ]
    return pl.concat(parts).drop_nulls("wide")


def _nobody() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema={"subject": pl.Int32, "point": pl.Binary})


def _phones(values: pl.Series, countries: pl.Series | None, country: str | None) -> pl.Series:
    """Numbers in E.164, null for those that are none or whose country nobody knows."""
    from segctl.identity.phones import UNKNOWN, phone_keys

    found: pl.Series = phone_keys(values, countries, country)
    return found.set(found.str.starts_with(UNKNOWN).fill_null(value=False), None)
