"""By what people are known: identifiers, contact points and fields of the profiles of a push, each read once.

Everything is a column aligned with `Contacts.profiles`, so that a million people cost a few columns and no objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from segctl.model.audience import PROFILE_ID
from segctl.model.dataclass import dataclass
from segctl.model.identity import LATEST
from segctl.model.types import Kind, ValueType

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session

_LOCAL = r"[^\s@,;<>\"()\[\]\\.\x{0}-\x{1f}]+"
_EMAIL = rf"^{_LOCAL}(?:\.{_LOCAL})*@(?:[^\s@,;.<>\"()\[\]\\/:]+\.)+[^\s@,;.<>\"()\[\]\\/:\d][^\s@,;.<>\"()\[\]\\/:]+$"
_LONGEST_EMAIL, _LONGEST_LOCAL = 254, 64
_SEPARATOR = "\x1f"
_HASHED = 100_000
"""Texts that are objects at a time."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a destination would know people by, one kind of identifier.

    Attributes:
        values: In the project's normal form; null where there is none that fits.
        is_written: True where something stands there, be it right or not.
    """

    values: pl.Series
    is_written: pl.Series


class Contacts:
    """Values of the profiles of a push, as of now, over all records and identifiers that were merged into them.

    Args:
        session: Open project and workspace.
        profiles: Subjects of the profiles, ascending, unique, Int32; every column here has one row for each.
        owners: Subject → subject of its profile; None when each is its own.
        now: Records that hold only later do not count.
    """

    def __init__(self, session: Session, profiles: pl.Series, owners: pl.Series | None, *, now: datetime) -> None:
        self.session, self.profiles, self.owners, self.now = session, profiles, owners, now
        self.snapshot = session.workspace.snapshot()
        self._best: dict[str, pl.Series] = {}
        self._all: dict[str, pl.DataFrame] = {}
        self._several: set[str] = set()
        self._told: dict[tuple[str, tuple[str, ...]], Told] = {}
        self._points: dict[tuple[str, tuple[str, ...]], pl.DataFrame] = {}

    @cached_property
    def ids(self) -> pl.Series:
        """Profile ids, String."""
        from segctl.state.subjects import Subjects

        every = Subjects(self.session.workspace).table(self.snapshot).select("profile_id").collect()["profile_id"]
        return every.gather(self.profiles)

    @cached_property
    def _places(self) -> pl.Series:
        """Subject → row of its profile here, -1 for others."""
        import polars as pl

        from segctl.state.subjects import subject_count

        places = pl.repeat(-1, subject_count(self.session.workspace, self.snapshot), dtype=pl.Int32, eager=True)
        places = places.scatter(self.profiles, pl.int_range(len(self.profiles), dtype=pl.Int32, eager=True))
        return places if self.owners is None else places.gather(self.owners)

    def rows_of(self, subjects: pl.Series) -> pl.Series:
        """Rows here of the profiles of some subjects, ascending, unique; those of others are left out."""
        found = self._places.gather(subjects)
        return found.filter(found >= 0).unique().sort()

    def places_of(self, subjects: pl.Series) -> pl.Series:
        """Row here of the profile of each subject, -1 for others."""
        return self._places.gather(subjects)

    def read(self, names: Iterable[str]) -> None:
        """Read traits and identifiers together, which is cheaper than one by one."""
        identifiers = {one.name for one in self.session.project.identifiers}
        new = sorted(set(names) - self._best.keys() - {PROFILE_ID})
        types = {trait.name: trait.type for trait in self.session.project.traits if trait.name in new}
        if types:
            self._read_traits(types)
        if kinds := [name for name in new if name in identifiers and name not in types]:
            self._read_identifiers(kinds)

    def best(self, name: str) -> pl.Series:
        """The value of a trait that survives, or the first identifier of a type; null where there is none.

        Raises:
            KeyError: Neither a stored trait nor an identifier.
        """
        if name == PROFILE_ID:
            return self.ids
        self.read([name])
        return self._best[name]

    def told(self, kind: str, names: Sequence[str]) -> Told:
        """What a destination is told as an identifier of a kind, of the first of the names that has a right value."""
        import polars as pl

        key = (kind, tuple(names))
        if key not in self._told:
            values = pl.repeat(None, len(self.profiles), dtype=pl.String, eager=True)
            written = values.is_not_null()
            for name in names:
                raw = self.best(name).cast(pl.String).str.strip_chars()
                written |= (raw != "").fill_null(value=False)
                found = normal_form(kind, raw, country=self.session.project.identity.country,
                                    countries=self._countries(kind))  # fmt: skip
                values = values.fill_null(found)
            self._told[key] = Told(values.alias(f"id:{kind}"), written)
        return self._told[key]

    def points(self, kind: str, names: Sequence[str]) -> pl.DataFrame:
        """Every contact point of a kind: columns ``row`` (here, ascending) and ``value`` (normal form), unique."""
        import polars as pl

        key = (kind, tuple(names))
        if key not in self._points:
            self.read(names)
            told = self.told(kind, names).values
            best = pl.DataFrame({"row": pl.int_range(len(told), dtype=pl.Int32, eager=True), "value": told})
            parts = [best, *(self._others(kind, name) for name in names if name in self._several)]
            parts += [self._others(kind, name) for name in names[1:] if name not in self._several]
            if len(parts) > 1:
                # The one that is told comes first: the gate names the reason by it.
                further = pl.concat(parts[1:]).sort("row", "value")
                best = pl.concat([best, further]).unique(maintain_order=True).sort("row", maintain_order=True)
            self._points[key] = best.drop_nulls()
        return self._points[key]

    def _others(self, kind: str, name: str) -> pl.DataFrame:
        """Every value of a trait or identifier, also those that did not survive: ``row``, ``value``."""
        every, countries = self._all[name], self._countries(kind)
        normal = normal_form(
            kind, every["value"].str.strip_chars(), country=self.session.project.identity.country,
            countries=None if countries is None else countries.gather(every["row"]),
        )  # fmt: skip
        return every.select("row", normal.alias("value"))

    def _countries(self, kind: str) -> pl.Series | None:
        trait = self.session.project.identity.country_trait
        return None if kind != "phone" or trait is None else self.best(trait)

    def _read_traits(self, types: Mapping[str, ValueType]) -> None:
        import polars as pl

        from segctl.engines.profiles import live_records
        from segctl.engines.survivorship import survivor
        from segctl.operations.evaluation import record_files

        rules = dict(self.session.project.identity.survivorship)
        frame = live_records(record_files(self.session.workspace, self.snapshot), as_of=self.now, traits=types)
        frame = frame.with_columns(self._places.gather(frame["subject"]).alias("row")).filter(pl.col("row") >= 0)
        values = {name: pl.col(f"trait:{name}") for name in types}
        has_several = frame["row"].n_unique() < frame.height
        # Most people have one record, and one column is sorted in a third of the time.
        ordered = frame.sort("row", *(("valid", "arrival", "source") if has_several else ()), maintain_order=True)
        one = ordered.select("row", *values.values())
        if has_several:
            chosen = [survivor(value, rules.get(name, LATEST)).alias(f"trait:{name}") for name, value in values.items()]
            one = ordered.group_by("row", maintain_order=True).agg(*chosen)
        every = pl.DataFrame({"row": pl.int_range(len(self.profiles), dtype=pl.Int32, eager=True)})
        one = every.join(one, on="row", how="left", maintain_order="left")
        for name, of in types.items():
            self._best[name] = one[f"trait:{name}"].alias(name)
            if of.kind is Kind.TEXT:
                pairs = ordered.select("row", pl.col(f"trait:{name}").alias("value")).drop_nulls()
                self._keep_all(name, pairs)

    def _read_identifiers(self, kinds: Sequence[str]) -> None:
        import polars as pl

        from segctl.state.subjects import Subjects

        table = Subjects(self.session.workspace).table(self.snapshot)
        found = table.filter(pl.col("id_type").is_in(list(kinds))).select("subject", "id_type", "value").collect()
        found = found.with_columns(self._places.gather(found["subject"]).alias("row")).filter(pl.col("row") >= 0)
        for kind in kinds:
            mine = found.filter(pl.col("id_type") == kind).sort("row", "subject").select("row", "value")
            first = mine.unique("row", keep="first", maintain_order=True)
            blank = pl.repeat(None, len(self.profiles), dtype=pl.String, eager=True)
            self._best[kind] = blank.scatter(first["row"], first["value"]).alias(kind)
            self._keep_all(kind, mine)

    def _keep_all(self, name: str, pairs: pl.DataFrame) -> None:
        self._all[name] = pairs
        if pairs["row"].is_duplicated().any():
            self._several.add(name)


def normal_form(
    kind: str, values: pl.Series, *, country: str | None = None, countries: pl.Series | None = None
) -> pl.Series:
    """Values of a kind of identifier as destinations are told them; null for what is none of the kind.

    Args:
        kind: ``email`` (small letters), ``phone`` (E.164), or any other (as written).
        values: String, without blanks around.
        country: Of phone numbers without a country of their own.
        countries: Row by row, likewise.
    """
    import polars as pl

    if kind == "email":
        lower = _composed(values).str.to_lowercase()
        is_right = lower.str.contains(_EMAIL) & (lower.str.len_chars() <= _LONGEST_EMAIL)
        is_right &= lower.str.find("@", literal=True) <= _LONGEST_LOCAL
        return lower.set(~is_right.fill_null(value=False), None)
    if kind == "phone":
        from segctl.identity.phones import UNKNOWN, phone_keys

        numbers = phone_keys(values, countries, country)
        return numbers.set(numbers.str.starts_with(UNKNOWN).fill_null(value=False), None)
    text = _composed(values)
    return text.set((text == "").fill_null(value=True), None).cast(pl.String)


def _composed(values: pl.Series) -> pl.Series:
    """In Unicode's composed form, which plain letters are in already."""
    is_plain = (values.str.len_bytes() == values.str.len_chars()).all()
    return values if is_plain else values.str.normalize("NFC")


def row_keys(told: Mapping[str, pl.Series]) -> pl.Series:
    """The key of each row: BLAKE2b, 128 bits in hex, of its identifiers by kind.

    Rows with the same identifiers have the same key, at every destination and for ever: the ledger compares by it. It
    is no secret (the ledger keeps what was sent beside it), so it stands in no report and no message.
    """
    return _digests(_texts(told))


def row_digests(told: Mapping[str, pl.Series], fields: Mapping[str, pl.Series]) -> pl.Series:
    """The digest of all that a destination is told of each row: another one means an update."""
    return _digests(_texts({**told, **{f"={name}": values for name, values in fields.items()}}))


def _texts(columns: Mapping[str, pl.Series]) -> pl.Series:
    import polars as pl

    if not columns:
        # A destination that can be told no identifier is told of nobody.
        return pl.Series("text", [], dtype=pl.String)
    frame = pl.DataFrame([values.alias(name) for name, values in columns.items()])
    parts = []
    for name in sorted(columns):
        value = pl.col(name).cast(pl.String)
        # With its length, so that no value can look like two.
        sized = pl.concat_str(pl.lit(f"{name}{_SEPARATOR}"), value.str.len_bytes(), pl.lit(_SEPARATOR), value)
        parts.append(sized.fill_null(""))
    return frame.select(pl.concat_str(parts).alias("text"))["text"]


def _digests(texts: pl.Series) -> pl.Series:
    from hashlib import blake2b

    import polars as pl

    from segctl.state.deliveries_told import even_texts

    found, copy = bytearray(), blake2b(digest_size=16).copy
    for block in texts.cast(pl.Binary).to_frame().iter_slices(_HASHED):
        for text in block.to_series().to_list():
            # A copy of an empty hash costs two thirds of a new one.
            made = copy()
            made.update(text)
            found += made.digest()
    return even_texts(bytes(found).hex(), 1)[0].alias("key")
