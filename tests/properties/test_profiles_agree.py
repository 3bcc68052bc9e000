"""Profiles as they were at an instant, their population and their histories: engines' view and the oracle's."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import polars as pl
import pytest
import strategies
from engine_tools import EVENT_COLUMNS, canonical, change_frame, event_parts, physical, profile_frame
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_data import World
from oracle_person import Person

from segctl.engines.physical import stored_dtype
from segctl.engines.profiles import RecordFile, profile_view, trait_changes
from segctl.model.types import stored_column


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


MANY = int(os.environ.get("SEGCTL_PROPERTY_EXAMPLES", "5000"))


@settings(max_examples=45, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_profiles_are_what_the_records_say(folder: Path, seed: int) -> None:
    check_profiles(folder, seed)


@pytest.mark.slow
def test_many_more_profiles_and_histories(folder: Path) -> None:
    for seed in range(MANY):
        check_profiles(folder, seed)
        check_histories(folder, seed)


def check_profiles(folder: Path, seed: int) -> None:
    """The engine's view of the profiles is the oracle's."""
    world = strategies.world(seed, segments=1)
    traits = {t.name: t.type for t in world.project.traits}
    everyone = canonical(world)

    view = profile_view(
        record_files(world, folder, Random(seed)),
        subjects(world),
        everyone,
        as_of=world.as_of,
        traits=traits,
        population=("known",),
        events=list(event_parts(world, folder, Random(seed))),
        survivorship=dict(world.project.identity.survivorship),
    )

    expected = profile_frame(world, [p for p in world.profiles if Person(world, p, {}).exists])
    wanted = ["subject", "profile_id", *traits]
    assert view.select(wanted).to_dicts() == expected.select(wanted).to_dicts()


@settings(max_examples=45, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_histories_hold_every_real_change(folder: Path, seed: int) -> None:
    check_histories(folder, seed)


def check_histories(folder: Path, seed: int) -> None:
    """The engine's changes of traits are the oracle's."""
    world = strategies.world(seed, segments=1)
    traits = {t.name: t.type for t in world.project.traits}

    found = trait_changes(
        record_files(world, folder, Random(seed)), canonical(world), as_of=world.as_of, traits=traits,
        survivorship=dict(world.project.identity.survivorship),
    )  # fmt: skip

    for trait, of in traits.items():
        expected = change_frame(world, trait, of).filter(pl.col("ts") <= world.as_of)
        wanted = ["subject", "ts", "old", "new"]
        assert rows(found[trait].select(wanted)) == rows(expected.select(wanted))


def rows(frame: pl.DataFrame) -> list[str]:
    """Rows in an order of their own."""
    return sorted(map(repr, frame.rows()))


def subjects(world: World) -> pl.DataFrame:
    """The subject table: the profile's id on its own subject, others and strangers are anonymous."""
    known = {p.subjects[0]: p.profile_id for p in world.profiles}
    everyone = sorted({e.subject for e in world.events} | {s for p in world.profiles for s in p.subjects})
    return pl.DataFrame(
        {
            "subject": pl.Series(everyone, dtype=pl.Int32),
            "profile_id": [known.get(s, f"device_id:{s}") for s in everyone],
            "identifier_class": ["known" if s in known else "anonymous" for s in everyone],
        }
    )


def record_files(world: World, folder: Path, random: Random) -> list[RecordFile]:
    """The records, several files a source, in no order."""
    files: dict[tuple[str, int], list[dict[str, object]]] = {}
    columns = {stored_column(t.name, t.type): stored_dtype(t.type) for t in world.project.traits}
    base = {"subject": pl.Int32(), "valid_from": EVENT_COLUMNS["ts"], "arrival": pl.Int64(), "gone": pl.Boolean()}
    for record in (r for p in world.profiles for r in p.records):
        values = {
            stored_column(t.name, t.type): physical(record.traits.get(t.name), t.type) for t in world.project.traits
        }
        row = {
            "subject": record.subject, "valid_from": record.valid_from, "arrival": record.arrival, "gone": record.gone,
        }  # fmt: skip
        files.setdefault((record.source, random.randrange(2)), []).append(row | values)
    made = []
    for (source, number), lines in sorted(files.items()):
        random.shuffle(lines)
        frame = pl.DataFrame(lines, schema=base | columns)
        path = folder / f"{source}-{number}.parquet"
        frame.write_parquet(path)
        made.append(RecordFile(str(path), source, frame.height, tuple(frame.columns)))
    return made
