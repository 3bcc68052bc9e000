"""How often people were contacted lately, over all destinations, and within the push that is being decided."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.windows import span
from segctl.model.audience import Cap
from segctl.model.contacted import CONTACTED
from segctl.model.times import WithinLast
from segctl.model.types import TEXT, stored_column
from segctl.operations.audience.targets import Target, applies

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.audience.contacts import Contacts
    from segctl.operations.session import Session
    from segctl.state.files import StoredFile


class Contacted:
    """Contacts by cap and profile.

    Args:
        session: Open project and workspace.
        contacts: Whose profiles are counted.
        now: End of every window.
    """

    def __init__(self, session: Session, contacts: Contacts, *, now: datetime) -> None:
        self._session, self._contacts, self._now = session, contacts, now
        self._counts: dict[str, pl.Series] = {}

    def counts(self, cap: Cap) -> pl.Series:
        """Contacts in the cap's window, Int32, one row per profile."""
        if cap.name not in self._counts:
            self._counts[cap.name] = self._stored(cap)
        return self._counts[cap.name]

    def count(self, rows: pl.Series, target: Target) -> None:
        """Remember that these will be contacted, so that later segments of the push see it."""
        for cap in self._session.project.caps:
            if len(rows) and applies(cap, target.use.channel, target.use.purpose):
                counts = self.counts(cap)
                self._counts[cap.name] = counts.clone().scatter(rows, counts.gather(rows) + 1)

    def _stored(self, cap: Cap) -> pl.Series:
        import polars as pl

        inside = span(WithinLast(cap.within_last), self._now, self._session.project.timezone, clip=True)
        lo, hi = inside.lo or 0, inside.hi or 0
        files = [f for f in self._session.workspace.files("events", self._contacts.snapshot)
                 if CONTACTED in f.meta["kinds"] and f.meta["max_ts"] >= lo]  # fmt: skip
        subjects = [pl.Series("subject", [], dtype=pl.Int32), *(_subjects(file, cap, lo, hi) for file in files)]
        places = self._contacts.places_of(pl.concat(subjects)).alias("row")
        found = places.filter(places >= 0).value_counts(name="contacts")
        every = pl.repeat(0, len(self._contacts.profiles), dtype=pl.Int32, eager=True)
        return every.scatter(found["row"], found["contacts"].cast(pl.Int32))


def _subjects(file: StoredFile, cap: Cap, lo: int, hi: int) -> pl.Series:
    """Subject of each contact of a file that the cap counts."""
    import polars as pl

    frame = pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
    at = pl.col("ts").to_physical()
    frame = frame.filter((at >= lo) & (at <= hi))
    if len(file.meta["kinds"]) > 1:
        frame = frame.filter(pl.col("kind") == CONTACTED)
    for name, wanted in (("channel", cap.channel), ("purpose", cap.purpose)):
        if wanted is not None:
            frame = frame.filter(pl.col(stored_column(name, TEXT)) == wanted)
    return frame.select("subject").collect()["subject"]
