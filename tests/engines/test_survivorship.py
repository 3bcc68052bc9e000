"""The engine's survivorship and the golden record's say the same of random records."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.engines.profiles import RecordFile, profile_view, trait_changes
from segctl.identity.golden import golden_record
from segctl.model.identity import Survivorship
from segctl.model.types import Kind, ValueType, stored_column

TRAITS = {
    "city": ValueType(Kind.TEXT),
    "age": ValueType(Kind.INTEGER),
    "ok": ValueType(Kind.BOOLEAN),
    "tags": ValueType(Kind.LIST, element=ValueType(Kind.TEXT)),
}
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
SOURCES = ("crm", "pos", "shop")
RULES = {
    "city": ["latest", "first", "most_frequent", "longest", "least_permissive"],
    "age": ["latest", "first", "most_frequent", "least_permissive"],
    "ok": ["latest", "first", "most_frequent", "least_permissive"],
    "tags": ["latest", "first", "all"],
}
SUBJECTS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


@st.composite
def worlds(draw):
    words = st.sampled_from(["Bonn", "Ulm", "Köln", "Jena", "Düsseldorf"])
    values = {
        "city": words, "age": st.integers(0, 3), "ok": st.booleans(), "tags": st.lists(words, max_size=3),
    }  # fmt: skip
    row = st.fixed_dictionaries(
        {"source": st.sampled_from(SOURCES), "subject": st.integers(0, SUBJECTS - 1), "day": st.integers(1, 20),
         **{name: st.none() | of for name, of in values.items()}}
    )  # fmt: skip
    rows = draw(st.lists(row, max_size=20))
    owners = draw(st.lists(st.integers(0, 2), min_size=SUBJECTS, max_size=SUBJECTS))
    rules = {}
    for name, known in RULES.items():
        rule = draw(st.sampled_from(known))
        trusted = tuple(draw(st.lists(st.sampled_from(SOURCES), unique=True, max_size=2)))
        order = ("Ulm", "Bonn", "Köln") if name == "city" and rule == "least_permissive" else ()
        rules[name] = Survivorship(rule, trusted, order)
    return rows, [min(i for i in range(SUBJECTS) if owners[i] == owner) for owner in owners], rules


@settings(max_examples=200, deadline=None, derandomize=True)
@given(worlds())
def test_the_engine_keeps_what_the_golden_record_keeps(folder: Path, world) -> None:
    rows, owners, rules = world
    canonical = pl.Series(owners, dtype=pl.Int32)
    subjects = pl.DataFrame(
        {"subject": pl.Series(range(SUBJECTS), dtype=pl.Int32), "profile_id": [f"p{n}" for n in range(SUBJECTS)],
         "identifier_class": "known"}
    )  # fmt: skip
    files = record_files(rows, folder)

    view = profile_view(
        files, subjects, canonical, as_of=AS_OF, traits=TRAITS, population=("known",), survivorship=rules
    )

    expected = {owner: golden(rows, owners, owner, rules) for owner in sorted(set(owners))}
    expected = {owner: values for owner, values in expected.items() if values is not None}
    found = {row["subject"]: {name: row[name] for name in TRAITS} for row in view.iter_rows(named=True)}
    assert found == expected


def golden(rows, owners, owner, rules):
    """The last version of each row of the source, oldest first, as the golden record takes them."""
    versions = {}
    for arrival, row in enumerate(rows):
        key = (row["source"], row["subject"])
        if owners[row["subject"]] == owner and (row["day"], arrival) >= versions.get(key, ((0, 0), None))[0]:
            versions[key] = ((row["day"], arrival), row)
    if not versions:
        return None
    ordered = [row for _, row in sorted(versions.values(), key=lambda pair: pair[0])]
    kept = golden_record(ordered, list(TRAITS), rules)
    return {name: kept[name].value if name in kept else None for name in TRAITS}


def record_files(rows, folder: Path) -> list[RecordFile]:
    made = []
    types = {"city": pl.String, "age": pl.Int64, "ok": pl.Boolean, "tags": pl.List(pl.String)}
    for source in SOURCES:
        lines = [
            {
                "subject": row["subject"], "valid_from": datetime(2025, 1, row["day"], tzinfo=UTC), "arrival": arrival,
                "gone": False, **{stored_column(name, of): row[name] for name, of in TRAITS.items()},
            }
            for arrival, row in enumerate(rows) if row["source"] == source
        ]  # fmt: skip
        schema = {
            "subject": pl.Int32, "valid_from": pl.Datetime("us", "UTC"), "arrival": pl.Int64, "gone": pl.Boolean,
            **{stored_column(name, of): types[name] for name, of in TRAITS.items()},
        }  # fmt: skip
        frame = pl.DataFrame(lines, schema=schema)
        path = folder / f"{source}.parquet"
        frame.write_parquet(path)
        made.append(RecordFile(str(path), source, frame.height, tuple(frame.columns)))
    return made


def test_a_history_follows_the_rule(folder: Path) -> None:
    rows = [
        {"source": "crm", "subject": 0, "day": 1, "city": None, "age": None, "ok": True, "tags": None},
        {"source": "pos", "subject": 1, "day": 2, "city": None, "age": None, "ok": False, "tags": None},
        {"source": "crm", "subject": 0, "day": 3, "city": None, "age": None, "ok": True, "tags": None},
    ]
    canonical = pl.Series([0, 0, 2, 3, 4, 5], dtype=pl.Int32)
    files = record_files(rows, folder)

    strict = trait_changes(
        files,
        canonical,
        as_of=AS_OF,
        traits={"ok": TRAITS["ok"]},
        survivorship={"ok": Survivorship("least_permissive")},
    )["ok"]
    newest = trait_changes(files, canonical, as_of=AS_OF, traits={"ok": TRAITS["ok"]})["ok"]

    assert strict.select("old", "new").rows() == [(True, False)]
    assert newest.select("old", "new").rows() == [(True, False), (False, True)]
