"""Predicates over profiles: Kleene's logic, references, keep, failure, lists and folding, on every engine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from engine_data import PROFILES, ask, at_least, column, equals, happened, metric

from segctl.compile import ir
from segctl.engines.base import Engine
from segctl.model.times import Anniversary, Duration, Since, TraitTime, WithinLast
from segctl.model.types import BOOLEAN, DATE, INTEGER, TEXT, TIME, Kind, ValueType

TEXTS = ValueType(Kind.LIST, element=TEXT)
ITEM_TYPE = ValueType(Kind.STRUCT, fields=(("sku", TEXT), ("quantity", INTEGER)))
ITEMS = ValueType(Kind.LIST, element=ITEM_TYPE)
CITY, POINTS, TAGS = ir.StoredTrait("city", TEXT), ir.StoredTrait("points", INTEGER), ir.StoredTrait("tags", TEXTS)
BORN, SEEN = ir.StoredTrait("born", DATE), ir.StoredTrait("seen", TIME)
VIP = ir.StoredTrait("vip", BOOLEAN)
TRUE, FALSE, UNKNOWN = (ir.Constant(value) for value in (True, False, None))
PEOPLE = PROFILES.with_columns(
    pl.Series("city", ["Straße", None, "ÖZD"]),
    pl.Series("points", [10, None, -3]),
    pl.Series("vip", [True, None, False]),
    pl.Series("tags", [["a", "b"], None, []], dtype=pl.List(pl.String)),
    pl.Series("born", [date(1990, 2, 28), date(1992, 2, 29), None]),
    pl.Series("seen", [datetime(2026, 1, 20, tzinfo=UTC), None, datetime(2026, 1, 1, tzinfo=UTC)]).dt.cast_time_unit(
        "us"
    ),
    pl.Series("sample:salt", [0, 2**62, 2**63 - 1]),
)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(ir.And((TRUE, UNKNOWN)), None, id="true and unknown"),
        pytest.param(ir.And((FALSE, UNKNOWN)), False, id="false and unknown"),
        pytest.param(ir.Or((TRUE, UNKNOWN)), True, id="true or unknown"),
        pytest.param(ir.Not(UNKNOWN), None, id="not unknown"),
        pytest.param(ir.And(()), True, id="and of nothing"),
        pytest.param(ir.Or(()), False, id="or of nothing"),
        pytest.param(ir.AtLeast((TRUE, UNKNOWN, FALSE), 2), None, id="one more could be true"),
        pytest.param(ir.AtLeast((TRUE, UNKNOWN, FALSE), 3), False, id="never three"),
        pytest.param(ir.AtLeast((TRUE, UNKNOWN, TRUE), 2), True, id="two are"),
    ],
)
def test_kleene(engine: Engine, tmp_path: Path, asked: ir.Predicate, expected: bool | None) -> None:
    assert column(ask(engine, tmp_path, [], asked)) == [expected] * 3


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(ir.In(POINTS, (10, 4)), [True, None, False], id="in"),
        pytest.param(ir.In(POINTS, ()), [False, None, False], id="in nothing"),
        pytest.param(ir.Exists(CITY), [True, False, True], id="exists"),
        pytest.param(equals(VIP, True), [True, None, False], id="a boolean"),
        pytest.param(ir.ArrayTest("any", TAGS, ("b", "z")), [True, None, False], id="any of"),
        pytest.param(ir.ArrayTest("all", TAGS, ("a", "b")), [True, None, False], id="all of"),
        pytest.param(ir.ArrayTest("none", TAGS, ("z",)), [True, None, True], id="none of"),
        pytest.param(ir.ArrayTest("any", TAGS, ()), [False, None, False], id="any of nothing"),
        pytest.param(equals(ir.Size(TAGS), 0), [False, None, True], id="size"),
        pytest.param(
            ir.AnyElement(TAGS, equals(ir.Element(TEXT), "b")),
            [True, None, False],
            id="an element; an empty list has none",
        ),
        pytest.param(
            ir.TextTest("contains", CITY, ir.Literal("SS", TEXT), ignore_case=True),
            [True, None, False],
            id="ß folds to ss",
        ),
        pytest.param(ir.FoldedIn(CITY, ("özd",)), [False, None, True], id="folded in"),
        pytest.param(
            ir.TextTest("eq", CITY, CITY, ignore_case=True), [True, None, True], id="two columns, folded on both sides"
        ),
        pytest.param(ir.TextTest("matches", CITY, ir.Literal("^S.*e$", TEXT)), [True, None, False], id="a pattern"),
        pytest.param(ir.InWindow(SEEN, WithinLast(Duration(14, "days"))), [True, None, False], id="a time"),
        pytest.param(
            ir.InWindow(BORN, Anniversary(Duration(28, "days"))), [False, False, None], id="27 February is the last day"
        ),
        pytest.param(
            ir.InWindow(BORN, Anniversary(Duration(29, "days"))), [True, True, None], id="29 February counts as 28"
        ),
        pytest.param(ir.InSample("salt", 2**62), [True, False, False], id="sample"),
        pytest.param(ir.InSample("salt", 2**63), [True, True, True], id="everybody"),
        pytest.param(ir.IfMissing(equals(POINTS, 10), then=True), [True, True, False], id="missing: match"),
    ],
)
def test_a_predicate(engine: Engine, tmp_path: Path, asked: ir.Predicate, expected: list[bool | None]) -> None:
    assert column(ask(engine, tmp_path, [], asked, profiles=PEOPLE)) == expected


def test_texts_in_lists_inside_lists_are_folded(engine: Engine, tmp_path: Path) -> None:
    labelled = ValueType(Kind.STRUCT, fields=(("sku", TEXT), ("labels", TEXTS)))
    items = ir.EventProperty("items", ValueType(Kind.LIST, element=labelled))
    labels = ir.StructField(ir.Element(labelled), "labels", TEXTS)
    is_street = ir.TextTest("eq", ir.Element(TEXT), ir.Literal("STRASSE", TEXT), ignore_case=True)
    events = [
        happened(0, "order", 9, items=[{"sku": "a", "labels": []}, {"sku": "b", "labels": ["x", "Straße"]}]),
        happened(1, "order", 9, items=[{"sku": "straße", "labels": ["weg"]}, {"sku": "c", "labels": None}]),
        happened(2, "order", 9, items=None),
    ]

    asked = at_least(metric("count", where=ir.AnyElement(items, ir.AnyElement(labels, is_street))), 1)

    assert column(ask(engine, tmp_path, events, asked, types={"items": items.type})) == [True, False, False]


def test_division_by_zero_is_missing_and_constants_divide_exactly(engine: Engine, tmp_path: Path) -> None:
    exact = ir.Real(ir.StoredTrait("points", ValueType(Kind.NUMBER, 6)))
    zero = ir.Arithmetic("-", (exact, exact))
    profiles = PEOPLE.with_columns(pl.Series("points", [20, None, 7]))

    found = ask(engine, tmp_path, [], ir.Arithmetic("/", (exact, zero)), exact, profiles=profiles)

    assert column(found) == [None, None, None]
    assert column(found, "out1") == [2e-05, None, 7e-06]


def test_round_goes_away_from_zero(engine: Engine, tmp_path: Path) -> None:
    half = ir.Real(ir.StoredTrait("points", ValueType(Kind.NUMBER, 1)))
    profiles = PEOPLE.with_columns(pl.Series("points", [25, -25, 4]))

    assert column(ask(engine, tmp_path, [], ir.Arithmetic("round", (half,)), profiles=profiles)) == [3.0, -3.0, 0.0]


def test_ages_on_29_february(engine: Engine, tmp_path: Path) -> None:
    found = ask(engine, tmp_path, [], ir.YearsSince(BORN), profiles=PEOPLE, as_of=datetime(2026, 2, 28, 12, tzinfo=UTC))

    assert column(found) == [36.0, 34.0, None]


def test_a_trait_bounds_a_window(engine: Engine, tmp_path: Path) -> None:
    events = [happened(0, "order", 20), happened(0, "order", 19), happened(1, "order", 20)]
    since = metric("count", window=Since(TraitTime("seen")), bounds=(("seen", SEEN),))

    assert column(ask(engine, tmp_path, events, since, profiles=PEOPLE)) == [1, 0, 0]


def test_any_element_of_an_event(engine: Engine, tmp_path: Path) -> None:
    items = ir.EventProperty("items", ITEMS)
    element = ir.Element(ITEM_TYPE)
    both = ir.And(
        (equals(ir.StructField(element, "sku", TEXT), "a"), at_least(ir.StructField(element, "quantity", INTEGER), 2))
    )
    events = [
        happened(0, "order", 1, items=[{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 2}]),
        happened(0, "order", 2, items=[{"sku": "a", "quantity": 2}]),
        happened(1, "order", 3, items=[]),
        happened(2, "order", 4, items=None),
    ]

    found = ask(
        engine, tmp_path, events, metric("count", where=ir.AnyElement(items, both)),
        metric("count", where=ir.Not(ir.AnyElement(items, both))), types={"items": ITEMS},
    )  # fmt: skip

    # On the same element; a missing list is unknown, which matches neither.
    assert column(found) == [1, 0, 0]
    assert column(found, "out1") == [1, 1, 0]


def segment(name: str, where: ir.Predicate, keep: ir.Keep | None = None) -> ir.LoweredSegment:
    return ir.LoweredSegment(name, where, keep)


def top(count: int | None, percent: str | None = None, per: ir.Expression | None = None, **more: bool) -> ir.Keep:
    return ir.Keep("top", POINTS, count, percent, per, more.get("keep_missing_group", False))


RANKED = pl.DataFrame(
    {
        "subject": range(6),
        "profile_id": ["f", "e", "d", "c", "b", "a"],
        "points": [5, 5, 1, None, 9, 9],
        "city": ["x", "x", "x", "x", "y", None],
    },
    schema_overrides={"subject": pl.Int32},
)


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        pytest.param(top(3), "abe", id="ties go by profile id"),
        pytest.param(top(9), "abdef", id="missing is never kept"),
        pytest.param(top(None, "17"), "ab", id="17 percent of six is rounded up to two"),
        pytest.param(top(None, "0.1"), "a", id="at least one"),
        pytest.param(top(1, None, CITY), "be", id="in each group, missing drops"),
        pytest.param(top(1, None, CITY, keep_missing_group=True), "abe", id="a group of the missing"),
        pytest.param(ir.Keep("bottom", POINTS, 2, None, None, keep_missing_group=False), "de", id="bottom"),
    ],
)
def test_keep(engine: Engine, tmp_path: Path, keep: ir.Keep, expected: str) -> None:
    segments = [segment("best", TRUE, keep), segment("rest", ir.Not(ir.IsMember("best")))]

    found = ask(engine, tmp_path, [], profiles=RANKED, segments=segments).answers

    ids = RANKED.get_column("profile_id")
    assert sorted(ids.filter(found.get_column("segment:best"))) == sorted(expected)
    assert sorted(ids.filter(found.get_column("segment:rest"))) == sorted(set("abcdef") - set(expected))


def test_only_restricts_the_rows_and_not_the_population_of_keep(engine: Engine, tmp_path: Path) -> None:
    found = ask(engine, tmp_path, [], profiles=RANKED, segments=[segment("best", TRUE, top(1))], only=[0, 4])

    assert found.answers.get_column("subject").to_list() == [0, 4]
    assert column(found, "segment:best") == [False, False]


def test_only_reads_the_events_of_those_asked_for(engine: Engine, tmp_path: Path) -> None:
    events = [happened(0, "order", 1), happened(1, "order", 1), happened(2, "order", 1)]

    found = ask(engine, tmp_path, events, metric("count"), only=[2, 0])

    assert found.answers.rows() == [(0, 1), (2, 1)]


def test_unknown_where_none_may_be_fails_the_segment_and_those_that_refer_to_it(engine: Engine, tmp_path: Path) -> None:
    segments = [
        segment("strict", ir.IfMissing(equals(POINTS, 10), then=None)),
        segment("refers", ir.Not(ir.IsMember("strict"))),
        segment("other", equals(POINTS, 10)),
    ]

    found = ask(engine, tmp_path, [], ir.IsMember("strict"), profiles=PEOPLE, segments=segments)

    assert found.failed == {
        "strict": "a value that must not be missing is missing for 1 profile",
        "refers": "it refers to `strict`, which failed",
    }
    assert found.answers.columns == ["subject", "segment:other", "out0"]
    assert column(found) == [None, None, None]


def test_an_output_may_repeat_a_segments_column(engine: Engine, tmp_path: Path) -> None:
    from segctl.compile.plan import Output, plan
    from segctl.engines.base import EngineInput

    asked = plan([segment("vip", equals(VIP, True))], [Output("segment:vip", ir.IsMember("vip"))])
    found = engine.evaluate(asked, EngineInput(PEOPLE, ()), as_of=datetime(2026, 1, 1, tzinfo=UTC), zone="UTC")

    assert column(found, "segment:vip") == [True, False, False]


def test_nobody_at_all(engine: Engine, tmp_path: Path) -> None:
    asked = [metric("count"), metric("last_value", value_type=TEXT, of=ir.EventProperty("item", TEXT))]
    segments = [segment("some", at_least(metric("count"), 1), top(1)), segment("rest", ir.Not(ir.IsMember("some")))]

    found = ask(engine, tmp_path, [], *asked, profiles=PEOPLE.clear(), segments=segments)

    assert found.answers.height == 0
    assert found.answers.schema["out0"] == pl.Int64


def test_changes_of_a_trait_are_events(engine: Engine, tmp_path: Path) -> None:
    changes = pl.DataFrame(
        {
            "subject": [0, 1],
            "ts": [datetime(2026, 1, 5, tzinfo=UTC), datetime(2025, 1, 5, tzinfo=UTC)],
            "source": ["", ""],
            "event_id": ["", ""],
            "old": ["silver", "silver"],
            "new": ["gold", "gold"],
        },
        schema_overrides={"subject": pl.Int32, "ts": pl.Datetime("us", "UTC")},
    )
    to_gold = equals(ir.EventProperty("new", TEXT), "gold")
    recent = metric("count", ("trait:tier",), where=to_gold, window=WithinLast(Duration(30, "days")))

    assert column(ask(engine, tmp_path, [], recent, changes={"tier": changes})) == [1, 0, 0]
