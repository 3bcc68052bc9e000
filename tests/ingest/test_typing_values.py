"""Raw text to typed values, against Python's own decimals and zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.compile.arithmetic import parse_formula
from segctl.connectors.typing_formulas import Columns
from segctl.connectors.typing_numbers import to_scaled
from segctl.connectors.typing_times import ClockCounts, to_days, to_instants
from segctl.connectors.typing_values import Counts, Typed, identifier_of, typed
from segctl.model.sources import Column, NumberForm, Target, TimeRule
from segctl.model.types import BOOLEAN, DATE, INTEGER, TEXT, Kind, ValueType

MONEY = ValueType(Kind.MONEY, 2)
GERMAN = NumberForm(",", ".")
LIMIT = 2**63


def exact(text: str, scale: int, *, rounds: bool) -> int | None:
    """What Python's decimals say."""
    with localcontext() as context:
        context.prec = 80
        scaled = Decimal(text).scaleb(scale)
        whole = scaled.to_integral_value(ROUND_HALF_EVEN)
    return int(whole) if (rounds or whole == scaled) and abs(whole) < LIMIT else None


decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17, places=None)


@settings(max_examples=300, deadline=None)
@given(st.lists(decimals, min_size=1, max_size=8), st.sampled_from([0, 1, 2, 3, 6]), st.booleans())
def test_decimals_in_text_are_what_python_says(numbers: list[Decimal], scale: int, rounds: bool) -> None:
    texts = [format(number, "f") for number in numbers]
    texts = [text for text in texts if len(text.partition(".")[2]) <= 18]

    found = to_scaled(pl.Series(texts, dtype=pl.String), scale, rounds=rounds).to_list()

    assert found == [exact(text, scale, rounds=rounds) for text in texts]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 4)), min_size=1, max_size=6))
def test_german_numbers_with_groups_are_what_python_says(pairs: list[tuple[int, int]]) -> None:
    numbers = [Decimal(digits).scaleb(-places) for digits, places in pairs]
    texts = [f"{number:,f}".translate(str.maketrans(",.", ".,")) + " €" for number in numbers]

    found = to_scaled(pl.Series(texts), 4, form=GERMAN).to_list()

    assert found == [exact(format(number, "f"), 4, rounds=False) for number in numbers]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=6), st.sampled_from([0, 2, 6]))
def test_floats_count_by_their_shortest_form(floats: list[float], scale: int) -> None:
    found = to_scaled(pl.Series(floats, dtype=pl.Float64), scale).to_list()

    for value, number in zip(floats, found, strict=True):
        if value != value or value in (float("inf"), float("-inf")):
            assert number is None
        elif len(format(Decimal(repr(value)), "f").partition(".")[2]) <= 18:
            assert number == exact(repr(value), scale, rounds=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,56 €", 123456), ("EUR 12", 1200), ("12,5", 1250), ("1 234,50", 123450), ("1.000", 100000),
        ("-3", -300), ("−3", -300), ("+3", 300), ("1.5", None), ("1.23", None), ("12.34.567", None), ("1,2,3", None),
        ("zwölf", None), ("1e3", 100000), ("92233720368547758,07", LIMIT - 1), ("92233720368547758,08", None),
        ("12,345", None), ("12,340", 1234), (" 7 ", 700), ("", None), ("NaN", None), ("inf", None), ("1_000", None),
    ],
)  # fmt: skip
def test_german_money_is_read_or_refused(text: str, expected: int | None) -> None:
    assert to_scaled(pl.Series([text]), 2, form=GERMAN).to_list() == [expected]


def test_a_percent_sign_means_hundredths_for_shares_only() -> None:
    assert to_scaled(pl.Series(["12 %", "0.12"]), 6, is_share=True).to_list() == [120_000, 120_000]
    assert to_scaled(pl.Series(["12 %"]), 6).to_list() == [12_000_000]


def column(kind: ValueType, values: pl.Series, **rules: object) -> Typed:
    target = Target("x", kind, Column("c"), **rules)
    return typed(target, Columns(values.alias("c").to_frame()), Counts())


def bad_of(found: Typed) -> list[bool]:
    return [False] * len(found.values) if found.bad is None else found.bad.to_list()


@pytest.mark.parametrize("kind", [INTEGER, MONEY, BOOLEAN, DATE], ids=lambda kind: kind.kind.value)
def test_only_an_empty_cell_is_missing(kind: ValueType) -> None:
    found = column(kind, pl.Series(["", " ", None, "NaN", "n/a", "-", "null"]))

    assert found.values.to_list() == [None] * 7
    assert bad_of(found) == [False, False, False, True, True, True, True]


def test_a_formula_does_not_take_nan_in_text_for_empty() -> None:
    target = Target("x", MONEY, parse_formula("c + 1"))

    found = typed(target, Columns(pl.DataFrame({"c": ["1", "", "NaN"]})), Counts())

    assert bad_of(found) == [False, False, True]


def test_infinite_floats_are_bad_and_nan_is_missing() -> None:
    found = column(MONEY, pl.Series([1.5, float("nan"), float("inf"), None]))

    assert bad_of(found) == [False, False, True, False]


def test_truths_in_two_languages() -> None:
    found = column(BOOLEAN, pl.Series(["Ja", "nein", "TRUE", "0", "1", "no", "", "vielleicht"]))

    assert found.values.to_list() == [True, False, True, False, True, False, None, None]
    assert bad_of(found)[-1]


def test_identifiers_are_text_and_survive() -> None:
    texts = pl.Series([" 01067", "+491511234567", "12345678901234567890123", "u\u0308", " ", None])

    assert identifier_of(texts).to_list() == ["01067", "+491511234567", "12345678901234567890123", "ü", None, None]
    assert identifier_of(pl.Series([12345.0, 1e15, float("nan"), 1e22])).to_list() == [
        "12345",
        "1000000000000000",
        None,
        "1" + "0" * 22,
    ]
    assert identifier_of(pl.Series([7, None])).to_list() == ["7", None]


def test_text_is_brought_to_nfc() -> None:
    assert column(TEXT, pl.Series(["Ko\u0308ln", "Köln"])).values.n_unique() == 1


def test_lists_drop_missing_elements_and_keep_empty_ones_apart_from_missing() -> None:
    numbers = ValueType(Kind.LIST, element=INTEGER)
    counts = Counts()
    raw = pl.Series("c", [["1", None, "2"], [], None, ["x"]])

    found = typed(Target("x", numbers, Column("c")), Columns(raw.to_frame()), counts)

    assert found.values.to_list() == [[1, 2], [], None, None]
    assert bad_of(found) == [False, False, False, True]
    assert counts.dropped_elements == 1


def test_lists_in_text() -> None:
    texts = ValueType(Kind.LIST, element=TEXT)

    assert column(texts, pl.Series(["a| b |", "c", ""]), separator="|").values.to_list() == [["a", "b"], ["c"], None]
    found = column(texts, pl.Series(['["a","ü"]', "[]", "kein JSON", '{"a":1}']))
    assert found.values.to_list() == [["a", "ü"], [], None, None]
    assert bad_of(found) == [False, False, True, True]


def test_structs_type_their_fields() -> None:
    address = ValueType(Kind.STRUCT, fields=(("zip", TEXT), ("since", INTEGER)))

    found = column(
        address, pl.Series([{"zip": "01067", "since": "7", "more": "x"}, {"zip": None, "since": "bald"}, None])
    )

    assert found.values.to_list() == [{"zip": "01067", "since": 7}, None, None]
    assert bad_of(found) == [False, True, False]


# --- Formulas ---------------------------------------------------------------------------------------------
numbers = st.tuples(st.integers(-(10**7), 10**7), st.integers(0, 4)).map(lambda pair: Decimal(pair[0]).scaleb(-pair[1]))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=5),
    st.sampled_from(["a*b", "a+b*c", "a-b-c", "-(a-b)*c", "a*b*c"]),
)
def test_formulas_are_exact(rows: list[tuple[Decimal, Decimal, Decimal]], text: str) -> None:
    frame = pl.DataFrame({name: [format(row[i], "f") for row in rows] for i, name in enumerate("abc")})
    target = Target("x", ValueType(Kind.NUMBER, 2), parse_formula(text), rounds=True)

    found = typed(target, Columns(frame), Counts()).values.to_list()

    for row, number in zip(rows, found, strict=True):
        value = eval(text, {}, {name: Fraction(row[i]) for i, name in enumerate("abc")})
        expected = Decimal(value.numerator) / Decimal(value.denominator) if value.denominator == 1 else None
        scaled = value * 100
        nearest = round(scaled)  # Fraction rounds half-even
        assert number == (nearest if abs(nearest) < LIMIT else None), (expected, row)


def test_division_rounds_half_even_and_by_zero_is_missing() -> None:
    frame = pl.DataFrame({"a": ["1", "2", "-1", "5", "1"], "b": ["3", "3", "8", "0", ""]})
    target = Target("x", MONEY, parse_formula("a / b"))

    found = typed(target, Columns(frame), Counts())

    assert found.values.to_list() == [33, 67, -12, None, None]
    assert found.bad is None


def test_huge_operands_never_wrap() -> None:
    frame = pl.DataFrame({"a": ["99999999999999999999", "3"], "b": ["99999999999999999999", "4"]})

    found = typed(Target("x", INTEGER, parse_formula("a * b")), Columns(frame), Counts())

    assert found.values.to_list() == [None, 12]
    assert bad_of(found) == [True, False]


def test_coalesce_and_concat() -> None:
    frame = pl.DataFrame({"a": ["", "2", None], "b": ["1", "5", None], "Vor Name": ["Eva", "", None]})

    assert typed(Target("x", INTEGER, parse_formula("coalesce(a, b)")), Columns(frame), Counts()).values.to_list() == [
        1,
        2,
        None,
    ]
    assert typed(
        Target("x", INTEGER, parse_formula("coalesce(a, 0) + 1")), Columns(frame), Counts()
    ).values.to_list() == [1, 3, 1]
    text = typed(Target("x", TEXT, parse_formula('concat(`Vor Name`, " ", b)')), Columns(frame), Counts())
    assert text.values.to_list() == ["Eva 1", "5", None]


# --- Times ------------------------------------------------------------------------------------------------
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Africa/Casablanca",
]
moments = st.datetimes(*(datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1975, 2060))).map(
    lambda at: at.replace(microsecond=0)
)


def near_a_change(zone: str, at: datetime) -> datetime:
    """A wall time close to the next clock change after `at`, so that doubtful ones come up often."""
    info, probe = ZoneInfo(zone), at.replace(tzinfo=UTC)
    for _ in range(400):
        later = probe + timedelta(days=1)
        if probe.astimezone(info).utcoffset() != later.astimezone(info).utcoffset():
            return probe.astimezone(info).replace(tzinfo=None) + timedelta(minutes=at.minute * 24 + at.second)
        probe = later
    return at


def by_python(wall: datetime, zone: str, *, second: bool) -> datetime:
    """Python's zones: a gap's times shift to the first instant after it."""
    info = ZoneInfo(zone)
    early = wall.replace(tzinfo=info, fold=0).astimezone(UTC)
    late = wall.replace(tzinfo=info, fold=1).astimezone(UTC)
    if early.astimezone(info).replace(tzinfo=None) == wall:
        return late if second else early
    # In a gap fold=0 lies behind the change and fold=1 before it.
    low, high = min(early, late), max(early, late)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset():
            low = middle
        else:
            high = middle
    return high


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ZONES), st.lists(st.tuples(moments, st.booleans()), min_size=1, max_size=4), st.booleans())
def test_local_times_are_what_python_says(zone: str, drawn: list[tuple[datetime, bool]], second: bool) -> None:
    walls = [near_a_change(zone, at) if close else at for at, close in drawn]
    texts = pl.Series([wall.isoformat(" ") for wall in walls])
    rule = TimeRule(zone=zone, ambiguous="second" if second else "first")

    found = to_instants(texts, rule, ClockCounts()).to_list()

    assert found == [by_python(wall, zone, second=second) for wall in walls]


def test_doubtful_local_times_are_counted_or_rejected() -> None:
    texts = pl.Series(["2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-06-01 12:00:00"])
    counts = ClockCounts()

    kept = to_instants(texts, TimeRule(zone="Europe/Berlin"), counts)
    rejected = to_instants(texts, TimeRule(zone="Europe/Berlin", ambiguous="reject", missing="reject"), ClockCounts())

    assert (counts.ambiguous, counts.missing) == (1, 1)
    assert [at.isoformat() for at in kept] == [
        "2026-03-29T01:00:00+00:00",
        "2026-10-25T00:30:00+00:00",
        "2026-06-01T10:00:00+00:00",
    ]
    assert rejected.is_null().to_list() == [True, True, False]


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("2026-01-01T00:00:00Z", "auto", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T00:00:00.5Z", "auto", "2026-01-01T00:00:00.500000+00:00"),
        ("2026-01-01T00:00:00.123456Z", "auto", "2026-01-01T00:00:00.123456+00:00"),
        ("2026-01-01T00:00:00.123456789Z", "auto", "2026-01-01T00:00:00.123456+00:00"),
        ("2026-01-01 00:00:00+01:00", "auto", "2025-12-31T23:00:00+00:00"),
        ("2026-01-01T00:00:00-0530", "auto", "2026-01-01T05:30:00+00:00"),
        ("2026-01-01T00:00:00.-12Z", "auto", None),
        ("2026-01-01", "auto", "2025-12-31T23:00:00+00:00"),
        ("1.2.2026 3:04", "auto", "2026-02-01T02:04:00+00:00"),
        ("31.12.2025", "auto", "2025-12-30T23:00:00+00:00"),
        ("2026-02-29", "auto", None),
        ("2026-01-01T25:00:00Z", "auto", None),
        ("0000-00-00 00:00:00", "auto", None),
        ("gestern", "auto", None),
        ("1700000000", "epoch_s", "2023-11-14T22:13:20+00:00"),
        ("1700000000.25", "epoch_s", "2023-11-14T22:13:20.250000+00:00"),
        ("1700000000000", "epoch_ms", "2023-11-14T22:13:20+00:00"),
        ("1700000000000001", "epoch_us", "2023-11-14T22:13:20.000001+00:00"),
        ("99999999999999999999", "epoch_s", None),
        ("21/11/26 07:05", "%d/%m/%y %H:%M", "2026-11-21T06:05:00+00:00"),
        ("21/11/26 07:05 +0300", "%d/%m/%y %H:%M %z", "2026-11-21T04:05:00+00:00"),
        ("20261121", "%Y%m%d", "2026-11-20T23:00:00+00:00"),
        ("9999-12-31", "auto", "9999-12-30T23:00:00+00:00"),
    ],
)  # fmt: skip
def test_written_times(text: str, form: str, expected: str | None) -> None:
    alone = to_instants(pl.Series([text]), TimeRule(form, "Europe/Berlin"), ClockCounts())
    # The first row decides which form is tried first; the others must not suffer from it.
    beside = to_instants(
        pl.Series(["2026-05-05T05:05:05Z", text, "2026-05-05 05:05:05"]), TimeRule(form, "Europe/Berlin"), ClockCounts()
    )

    assert [None if at is None else at.isoformat() for at in alone] == [expected]
    assert (None if beside[1] is None else beside[1].isoformat()) == expected


def test_days_are_days_and_instants_give_their_local_day() -> None:
    rule = TimeRule(zone="Europe/Berlin")
    texts = pl.Series(["2026-01-31", "31.01.2026", "2026-01-31T23:30:00Z", "31.02.2026", None])

    assert to_days(texts, rule, ClockCounts()).to_list() == [
        date(2026, 1, 31),
        date(2026, 1, 31),
        date(2026, 2, 1),
        None,
        None,
    ]
    assert bad_of(column(DATE, pl.Series(["31.02.2026"]), time=rule)) == [True]


@pytest.mark.parametrize("text", [
    "+024-02-29T23:59:59Z", " 024-02-29T23:59:59Z", "-024-02-29T23:59:59Z", "24-02-29T23:59:59.123Z",
    "024-02-29 10:00:00", "24-02-29", "+024-02-29", "29.02.24", "29.02.+024", "29.02. 024",
])  # fmt: skip
@pytest.mark.parametrize("rows", [1, 600])
def test_a_year_has_four_digits(text: str, rows: int) -> None:
    fine = ["0024-02-29T10:00:00Z", "29.02.0024", "2024-02-29T10:00:00Z"]
    raw = pl.Series([text] * rows + fine)

    for found in (to_instants(raw, TimeRule(), ClockCounts()), to_days(raw, TimeRule(), ClockCounts())):
        assert found.head(rows).null_count() == rows
        assert found.tail(3).dt.year().to_list() == [24, 24, 2024]


@pytest.mark.parametrize(("form", "text", "year"), [
    ("%d.%m.%Y", "29.02.24", None), ("%d.%m.%Y", "29.02.0024", 24), ("%d.%m.%y", "29.02.24", 2024),
    ("%F %H:%M %z", "24-02-29 10:00 +0100", None), ("%Y-%m-%d %H:%M %z", "0024-02-29 10:00 +0100", 24),
])  # fmt: skip
def test_a_declared_year_has_four_digits_as_well(form: str, text: str, year: int | None) -> None:
    assert to_instants(pl.Series([text]), TimeRule(format=form), ClockCounts()).dt.year().to_list() == [year]
