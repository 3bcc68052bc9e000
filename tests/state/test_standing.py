"""What stands of everybody: files and layers give back what was written, whatever their form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import polars as pl
import pytest

from segctl.state import standing
from segctl.state.standing import (
    DUE,
    NOTHING,
    PRESENT,
    Standing,
    Unreadable,
    forget,
    read_standing,
    write_layer,
    write_whole,
)
from segctl.state.workspace import Workspace

COLUMNS = {"s1": (1, 0), "q1": (1, 1), "q2": (0, 0), "v1": None, "v2": None}


def state(workspace: Workspace, length: int, *, as_of: int = 1) -> Standing:
    folder = workspace.folder / standing.FOLDER
    return Standing(folder, {"zone": "x"}, 3, as_of, length, length, COLUMNS, (), NOTHING)


def rows(random: Random, subjects: list[int]) -> pl.DataFrame:
    def some(*values: object) -> list[object]:
        return [random.choice(values) for _ in subjects]

    return pl.DataFrame(
        {
            "subject": subjects, PRESENT: some(True, False), DUE: some(None, 5, 7), "s1": some(True, False),
            "q1": some(True, False, None), "q2": some(True, False), "v1": some(None, 1, 2**40),
            "v2": some(None, "ä", "b"),
        },
        schema={"subject": pl.Int32, PRESENT: pl.Boolean, DUE: pl.Int64, "s1": pl.Boolean, "q1": pl.Boolean,
                "q2": pl.Boolean, "v1": pl.Int64, "v2": pl.String},
    )  # fmt: skip


def test_layers_replace_rows_and_become_few_files(workspace: Workspace) -> None:
    random = Random(3)
    known = {row["subject"]: row for row in rows(random, list(range(100))).to_dicts()}
    write_whole(
        workspace, state(workspace, 100), pl.DataFrame(list(known.values()), rows(random, []).schema).drop("subject")
    )
    keys = [PRESENT, DUE, *COLUMNS]
    most = 0
    for step in range(40):
        before = read_standing(workspace)
        assert before is not None
        length = before.length + step % 3
        new = sorted({*random.sample(range(length), random.randint(1, 6)), *range(before.length, length)})
        layer = rows(random, new)
        write_layer(workspace, before, state(workspace, length, as_of=step + 2), layer)
        known |= {row["subject"]: row for row in layer.to_dicts()}

        found = read_standing(workspace)

        assert found is not None
        assert (found.as_of, found.length) == (step + 2, length)
        everybody = [{key: known[subject][key] for key in keys} for subject in range(length)]
        assert found.dense(keys, length).to_dicts() == everybody
        some = sorted(random.sample(range(length), 9))
        assert found.rows(pl.Series(some, dtype=pl.Int32), keys).to_dicts() == [everybody[at] for at in some]
        most = max(most, len(found.layers))
        names = {path.name for path in found.folder.iterdir()}
        assert names == {"standing.json", found.bits.name, *(one.name for one in found.layers)}
    assert 2 < most < 9


def test_somebody_who_was_slower_leaves_what_another_wrote(workspace: Workspace) -> None:
    everybody = rows(Random(1), list(range(10)))
    write_whole(workspace, state(workspace, 10), everybody.drop("subject"))
    before = read_standing(workspace)
    assert before is not None
    write_layer(workspace, before, state(workspace, 10, as_of=2), everybody.head(2))

    write_layer(workspace, before, state(workspace, 10, as_of=9), everybody.tail(2))

    found = read_standing(workspace)
    assert found is not None
    assert found.as_of == 2


@pytest.mark.parametrize("spoilt", ["manifest", "no manifest", "another form", "cut", "bits", "gone"])
def test_what_is_not_as_it_was_written_does_not_stand(workspace: Workspace, spoilt: str) -> None:
    write_whole(workspace, state(workspace, 10), rows(Random(1), list(range(10))).drop("subject"))
    found = read_standing(workspace)
    assert found is not None
    manifest, first = found.folder / "standing.json", found.folder / found.layers[0].name
    match spoilt:
        case "manifest":
            manifest.write_text(manifest.read_text()[:-20])
        case "no manifest":
            forget(workspace)
        case "another form":
            manifest.write_text(manifest.read_text().replace('"format": 3', '"format": 1'))
        case "cut":
            _cut(first)
        case "bits":
            _cut(found.folder / found.bits.name)
        case _:
            first.unlink()

    assert read_standing(workspace) is None


@pytest.mark.parametrize("which", [0, 1, "bits"])
def test_a_file_of_the_right_size_with_other_bytes_is_not_believed(workspace: Workspace, which: int | str) -> None:
    write_whole(workspace, state(workspace, 40), rows(Random(1), list(range(40))).drop("subject"))
    before = read_standing(workspace)
    assert before is not None
    write_layer(workspace, before, state(workspace, 40, as_of=2), rows(Random(2), [3]))
    found = read_standing(workspace)
    assert found is not None
    path = found.folder / (found.layers[which].name if isinstance(which, int) else found.bits.name)
    path.write_bytes(path.read_bytes()[:-1] + b"\x55")

    with pytest.raises(Unreadable):
        found.rows(pl.Series([3], dtype=pl.Int32), ["q2"])


def test_a_state_of_nobody_is_one(workspace: Workspace) -> None:
    write_whole(workspace, replace(state(workspace, 0), profiles=0), rows(Random(1), []).drop("subject"))

    found = read_standing(workspace)

    assert found is not None
    assert found.dense([PRESENT, "q1", "v2"], 2).to_dicts() == [{PRESENT: None, "q1": None, "v2": None}] * 2
    assert found.rows(pl.Series([0, 1], dtype=pl.Int32), ["q1"]).to_dicts() == [{"q1": None}] * 2


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def test_rows_where_a_mask_is_true_are_those_of_whole_columns(workspace: Workspace) -> None:
    random = Random(5)
    whole = rows(random, list(range(60)))
    write_whole(workspace, state(workspace, 60), whole.drop("subject"))
    before = read_standing(workspace)
    assert before is not None
    write_layer(workspace, before, state(workspace, 62), rows(random, [3, 9, 40, 60, 61]))
    found = read_standing(workspace)
    assert found is not None
    keys, newer = [DUE, *COLUMNS], rows(random, [9, 10, 61, 63])
    for newest in (None, newer):
        for share in (0.0, 0.3, 1.0):
            mask = pl.Series([random.random() < share for _ in range(64)], dtype=pl.Boolean)

            some = found.where(mask, keys, newest)

            assert some.rows() == found.dense(keys, 64, newest).filter(mask).rows()
