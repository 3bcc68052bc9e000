"""Columns with roles as comparable values."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from segctl.identity.fields import Coded, coded, prepared
from segctl.model.errors import DataError


def values(field: Coded) -> list[str | None]:
    return [field.values[code] if code >= 0 else None for code in field.codes.tolist()]


def field(name: str, roles: dict[str, str], **columns: list[object]) -> list[str | None]:
    frame = pl.DataFrame(columns).with_row_index("record")
    return values(prepared(frame, roles).fields[name])


def test_a_column_is_coded_by_its_sorted_values() -> None:
    made = coded(pl.Series(["b", None, "a", "b"]))

    assert made.values == ["a", "b"]
    assert made.codes.tolist() == [1, -1, 0, 1]
    assert made.counts.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("1971-06-24", "19710624"), ("19710624", "19710624"), ("24.6.1971", "19710624"), ("24/06/1971", "19710624"),
        ("1971/6/4", "19710604"), ("1971-06-24 00:00:00", "19710624"), ("1971-13-45", "19711345"), ("gestern", None),
        ("1.1.71", None), ("n/a", None), ("197106240", None),
    ],
)  # fmt: skip
def test_dates_in_many_forms(written: str, digits: str | None) -> None:
    assert field("birth_date", {"d": "birth_date"}, d=[written, "2000-01-01"])[0] == digits


def test_a_date_is_put_together_from_its_parts() -> None:
    roles = {"y": "birth_year", "m": "birth_month", "d": "birth_day"}

    assert field("birth_date", roles, y=[1949, 1980], m=[7, None], d=[22, 1]) == ["19490722", None]
    assert field("birth_year", roles, y=[1949, 1980], m=[7, None], d=[22, 1]) == ["1949", "1980"]


def test_columns_of_dates_and_numbers_are_read() -> None:
    assert field("birth_date", {"d": "birth_date"}, d=[date(1971, 6, 24)]) == ["19710624"]
    assert field("postcode", {"p": "postcode"}, p=[1067.0, None]) == ["1067", None]


@pytest.mark.parametrize("country", [None, "DE"])
def test_placeholders_say_nothing_about_anybody(country: str | None) -> None:
    phones = ["0123456789", "000000000", "0151 99999999", "+49 30 123456789", "0171 4455667"]
    emails = ["test@firma.example", "kunde8@a.example", "anna@", "n/a", "Anna@post.example"]
    frame = pl.DataFrame({"p": phones, "e": emails}).with_row_index("record")
    roles = {"p": "phone", "e": "email"}

    strict = prepared(frame, roles, country=country).fields
    loose = prepared(frame, roles, country=country, allowed=("kunde8@*", "*99999999")).fields

    assert [value is None for value in values(strict["phone"])] == [True, True, True, True, False]
    assert [value is None for value in values(loose["phone"])] == [True, True, False, True, False]
    assert values(strict["email"]) == [None, None, "anna@", None, "anna@post.example"]
    assert values(loose["email"]) == [None, "kunde8@a.example", "anna@", None, "anna@post.example"]
    assert values(strict["email_local"]) == [None, None, None, None, "anna"]


def test_several_columns_of_a_name_are_one_name() -> None:
    assert field("given", {"a": "given_name", "b": "given_name"}, a=["Hans", None], b=["Peter", "Eva"]) == [
        "hans peter", "eva",
    ]  # fmt: skip


def test_a_full_name_fills_what_is_missing_and_nothing_else() -> None:
    roles = {"g": "given_name", "f": "full_name"}
    made = {"g": ["Anna", None], "f": ["Dr. Eva Kurz", "Dr. Eva Kurz"]}

    assert field("given", roles, **made) == ["anna", "eva"]
    assert field("surname", roles, **made) == [None, "kurz"]


def test_places_and_contacts_have_one_form() -> None:
    assert field("city", {"c": "city"}, c=["Köln", "KOELN", "Koln"]) == ["koln"] * 3
    assert len(set(field("street", {"s": "street"}, s=["Bahnhofstraße", "Bahnhofstr.", "BAHNHOFSTRASSE"]))) == 1
    assert field("postcode", {"p": "postcode"}, p=["TQ13 8DF", "tq138df"]) == ["tq138df"] * 2
    assert field("email", {"e": "email"}, e=["A.B+x@GMail.com", "ab@googlemail.com", "broken"])[2] == "broken"
    assert len(set(field("email", {"e": "email"}, e=["A.B+x@GMail.com", "ab@googlemail.com"]))) == 1


def test_phones_take_the_country_that_is_said() -> None:
    frame = pl.DataFrame({"record": [1, 2], "p": ["030 1234567", "+49 30 1234567"]})

    assert len(prepared(frame, {"p": "phone"}, country="DE").fields["phone"].values) == 1


def test_fields_without_any_value_are_left_out() -> None:
    frame = pl.DataFrame({"record": [1], "s": ["n/a"], "g": ["Anna"]})

    assert "surname" not in prepared(frame, {"s": "surname", "g": "given_name"}).fields


def test_the_order_of_rows_does_not_matter() -> None:
    frame = pl.DataFrame({"record": [3, 1, 2], "s": ["c", "a", "b"]})

    assert values(prepared(frame, {"s": "surname"}).fields["surname"]) == ["a", "b", "c"]


@pytest.mark.parametrize("ids", [[1, 1], [1, None]])
def test_ids_that_do_not_tell_records_apart_are_refused(ids: list[int | None]) -> None:
    with pytest.raises(DataError) as caught:
        prepared(pl.DataFrame({"record": ids, "s": ["a", "b"]}), {"s": "surname"})

    assert caught.value.code == "SEG460"


def test_a_role_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="shoe_size"):
        prepared(pl.DataFrame({"record": [1], "s": ["a"]}), {"s": "shoe_size"})
