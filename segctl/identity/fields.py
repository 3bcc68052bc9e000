"""Columns with a role → comparable values, coded once: all later work is on small integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segctl.identity import names
from segctl.identity.dates import birth_dates, date_digits, year_digits
from segctl.identity.junk import is_listed, is_placeholder
from segctl.identity.missing import without_missing
from segctl.identity.normalise import email_keys, street_form
from segctl.identity.phones import phone_keys
from segctl.model.errors import DataError

Codes = NDArray[np.int32]
Derived = TypeVar("Derived")


class Role(StrEnum):
    """What a column says about a person."""

    GIVEN_NAME = "given_name"
    SURNAME = "surname"
    FULL_NAME = "full_name"
    BIRTH_DATE = "birth_date"
    BIRTH_YEAR = "birth_year"
    BIRTH_MONTH = "birth_month"
    BIRTH_DAY = "birth_day"
    POSTCODE = "postcode"
    CITY = "city"
    STREET = "street"
    HOUSE_NUMBER = "house_number"
    EMAIL = "email"
    PHONE = "phone"
    GENDER = "gender"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Coded:
    """One field of all records.

    Attributes:
        values: Distinct values, sorted; a code is a position here.
        codes: Code of each record's value, -1 where it is missing.
        counts: Records that have each value.
    """

    values: list[str]
    codes: Codes
    counts: NDArray[np.int64]
    _made: dict[Callable[[list[str]], Any], Any] = field(default_factory=dict, repr=False, compare=False)

    def derived(self, make: Callable[[list[str]], Derived]) -> Derived:
        """What a function makes of the distinct values; made once, however many chunks of pairs ask for it."""
        if make not in self._made:
            self._made[make] = make(self.values)
        found: Derived = self._made[make]
        return found


@dataclass(frozen=True, slots=True)
class Records:
    """All records in the order of their ids, so that the order they came in cannot matter.

    Attributes:
        ids: Record ids, sorted, unique.
        fields: Coded fields by name: those of `comparisons.py`, and those that only blocking uses.
    """

    ids: pl.Series
    fields: Mapping[str, Coded]

    def __len__(self) -> int:
        return len(self.ids)


def prepared(
    frame: pl.DataFrame,
    roles: Mapping[str, str],
    record: str = "record",
    *,
    country: str | None = None,
    allowed: tuple[str, ...] = (),
) -> Records:
    """The records as coded fields.

    Args:
        frame: One row per record; columns `record` (unique, not null) and those of `roles`.
        roles: Column → `Role`. Several columns of one name role are one name (first, middle), in the order given;
            several e-mails, phones or texts are fields of their own.
        record: Name of the column with the record id.
        country: ISO code of phone numbers without a country.
        allowed: E-mail addresses and phone numbers that are no placeholders; ``*`` stands for any characters.

    Raises:
        DataError: A record id is missing or twice (SEG460).
        ValueError: A role that there is not.
    """
    ids = frame[record]
    if ids.null_count() or ids.n_unique() < len(ids):
        raise DataError("SEG460", f"`{record}` does not tell records apart", hint="give every record an id of its own")
    texts = frame.sort(record).select(record, *(_as_text(frame.schema[name], name) for name in roles))
    columns: dict[Role, list[pl.Series]] = {
        role: [_cleaned(texts[column]) for column, name in roles.items() if Role(name) is role] for role in Role
    }
    fields = _name_fields(columns)
    days = birth_dates(*(columns[role] for role in _BIRTH))
    for name, part in (("birth_date", by_expression(date_digits)), ("birth_year", by_expression(year_digits))):
        if days is not None:
            fields[name] = normalised(days, part)
    for role, normal in _SINGLE.items():
        for at, column in enumerate(columns[role]):
            fields[role if at == 0 else f"{role}_{at + 1}"] = normalised(column, normal)

    def phones(values: pl.Series) -> pl.Series:
        return _of_somebody(phone_keys(values, default=country), "phone", allowed)

    def emails(values: pl.Series) -> pl.Series:
        # A mistyped address is no key, but still evidence.
        return _of_somebody(email_keys(values).fill_null(values.str.to_lowercase()), "email", allowed)

    for role, normal in ((Role.PHONE, phones), (Role.EMAIL, emails)):
        for at, column in enumerate(columns[role]):
            fields[role if at == 0 else f"{role}_{at + 1}"] = normalised(column, normal)
    if columns[Role.EMAIL]:
        fields["email_local"] = normalised(columns[Role.EMAIL][0], lambda v: _local_part(emails(v)))
    return Records(texts[record], {name: one for name, one in fields.items() if one.values})


def coded(values: pl.Series) -> Coded:
    """A column of texts as codes."""
    return normalised(values, lambda distinct: distinct)


def normalised(values: pl.Series, normal: Callable[[pl.Series], pl.Series]) -> Coded:
    """A column as codes of a normal form, which is computed once for each distinct value.

    Args:
        values: Texts, null where missing.
        normal: Distinct texts → their normal forms row by row, null for those that say nothing after all.
    """
    distinct = values.drop_nulls().unique().sort()
    forms = normal(distinct)
    kept = forms.drop_nulls().unique().sort()
    # The last place is for what is missing: -1 finds it.
    place = np.append(_places(forms, kept), np.int32(-1))
    codes = place[_places(values, distinct)]
    return Coded(kept.to_list(), codes, np.bincount(codes[codes >= 0], minlength=len(kept)))


def _places(values: pl.Series, distinct: pl.Series) -> Codes:
    """Position of each value among the distinct ones, -1 for null."""
    if distinct.is_empty():
        return np.full(len(values), -1, np.int32)
    # An Enum looks texts up by hash, in one pass.
    return values.cast(pl.Enum(distinct)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()


def _cleaned(values: pl.Series) -> pl.Series:
    return values.to_frame("v").select(without_missing(pl.col("v"))).to_series()


def _as_text(dtype: pl.DataType, name: str) -> pl.Expr:
    if dtype.is_temporal():
        return pl.col(name).dt.to_string("%Y-%m-%d")
    if dtype.is_float():
        # A postcode or phone that a spreadsheet made a number: 1067.0 is 1067.
        return pl.col(name).cast(pl.Int64, strict=False)
    return pl.col(name)


def _name_fields(columns: Mapping[Role, list[pl.Series]]) -> dict[str, Coded]:
    given, surname = _joined(columns[Role.GIVEN_NAME]), _joined(columns[Role.SURNAME])
    if columns[Role.FULL_NAME]:
        given, surname = _filled(given, surname, columns[Role.FULL_NAME][0])
    fields = {}
    for name, values in (("given", given), ("surname", surname)):
        if values is not None:
            fields[name] = normalised(values, by_expression(names.name_key))
            fields[f"{name}_sound"] = normalised(values, by_expression(names.name_sound))
    if given is not None and surname is not None:
        fields["name_tokens"] = _tokens(fields["given"], fields["surname"])
    return fields


def _tokens(given: Coded, surname: Coded) -> Coded:
    """All names of a person in alphabetical order, so that swapped ones are the same."""
    size = len(surname.values)
    both = (given.codes >= 0) & (surname.codes >= 0)
    pairs = np.where(both, given.codes.astype(np.int64) * size + surname.codes, -1)
    distinct, place = np.unique(pairs, return_inverse=True)
    forms = pl.Series([
        " ".join(sorted(f"{given.values[pair // size]} {surname.values[pair % size]}".split())) if pair >= 0 else None
        for pair in distinct.tolist()
    ], dtype=pl.String)  # fmt: skip
    by_form = coded(forms)
    codes = by_form.codes[place]
    return Coded(by_form.values, codes, np.bincount(codes[codes >= 0], minlength=len(by_form.values)))


def _joined(columns: list[pl.Series]) -> pl.Series | None:
    if len(columns) < 2:
        return columns[0] if columns else None
    frame = pl.DataFrame([column.alias(str(at)) for at, column in enumerate(columns)])
    joined = frame.select(v=pl.concat_str(pl.all(), separator=" ", ignore_nulls=True))
    return joined.select(pl.when(pl.col("v") != "").then("v")).to_series()


def _filled(given: pl.Series | None, surname: pl.Series | None, full: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Given name and surname, from the full name where both are missing; one part alone is not filled up."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(full))
    given, surname = nothing if given is None else given, nothing if surname is None else surname
    needed = pl.when(given.is_null() & surname.is_null()).then(pl.col("f"))
    used = full.to_frame("f").select(needed.alias("f"))
    split = used.select(given=names.given_of_full(pl.col("f")), surname=names.surname_of_full(pl.col("f")))
    return given.fill_null(split["given"]), surname.fill_null(split["surname"])


def by_expression(form: Callable[[pl.Expr], pl.Expr]) -> Callable[[pl.Series], pl.Series]:
    """A normal form of a column from one of an expression; what is left blank is missing."""

    def normal(values: pl.Series) -> pl.Series:
        frame = values.to_frame("v").select(form(pl.col("v")).alias("v"))
        return frame.select(pl.when(pl.col("v") != "").then("v")).to_series()

    return normal


def _compact(text: pl.Expr) -> pl.Expr:
    return names.fold_a(text).str.replace_all(r"[^a-z0-9]+", "")


def _plain(text: pl.Expr) -> pl.Expr:
    return names.fold_ae(names.spoken(text))


def _of_somebody(keys: pl.Series, form: str, allowed: tuple[str, ...]) -> pl.Series:
    """The keys without placeholders: what everybody writes says nothing about anybody."""
    kept = ~is_placeholder(keys, form) | is_listed(keys, allowed)
    return pl.DataFrame({"v": keys, "kept": kept}).select(pl.when("kept").then("v")).to_series()


def _local_part(values: pl.Series) -> pl.Series:
    return email_keys(values).str.extract(r"^([^@+]+)")


_BIRTH = (Role.BIRTH_DATE, Role.BIRTH_YEAR, Role.BIRTH_MONTH, Role.BIRTH_DAY)
_SINGLE: Mapping[Role, Callable[[pl.Series], pl.Series]] = {
    Role.POSTCODE: by_expression(_compact),
    Role.CITY: by_expression(names.name_key),
    Role.STREET: by_expression(street_form),
    Role.HOUSE_NUMBER: by_expression(_compact),
    Role.GENDER: by_expression(_compact),
    Role.TEXT: by_expression(_plain),
}
