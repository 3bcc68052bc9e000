"""Names of few subjects are those that the table has, with a mapped copy, without one and with a torn one."""

from __future__ import annotations

import polars as pl
import pytest

from segctl.model.project import IdentifierType
from segctl.state import hot, names
from segctl.state.names import build_names, missing_names, names_of
from segctl.state.subjects import Subjects
from segctl.state.workspace import Workspace

TYPES = (
    IdentifierType("nr", "known"),
    IdentifierType("email", "known", personal=True),
    IdentifierType("c", "anonymous"),
)


@pytest.fixture
def filled(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Three files of subjects, of which the smallest is not worth a copy."""
    monkeypatch.setattr(names, "WORTH_ROWS", 4)
    subjects = Subjects(workspace, TYPES)
    for some in (["1", "ä", "日本", "😀", "5"], ["x", "y", "z", "1"], ["q"]):
        for kind in ("nr", "email", "c")[: 1 if len(some) == 1 else 3]:
            subjects.resolve(pl.Series([kind] * len(some)), pl.Series(some))
    return workspace


@pytest.mark.parametrize("copies", ["none", "whole", "torn"])
def test_names_are_those_of_the_table(filled: Workspace, copies: str) -> None:
    if copies != "none":
        build_names(filled, missing_names(filled))
        assert missing_names(filled) == []
    if copies == "torn":
        path = next((filled.folder / hot.FOLDER).glob("*.names"))
        path.write_bytes(path.read_bytes()[:-9])
    everybody = Subjects(filled).table().drop("value").collect()
    for asked in ([], [0], [2, 7, 8, 9, 20], [9, 3, 3, 22], [1, 500]):
        known = [subject for subject in asked if subject < everybody.height]

        found = names_of(filled, pl.Series("subject", asked, dtype=pl.Int32))

        assert found.rows() == everybody[known].rows()


def test_only_what_is_worth_it_has_a_copy_and_goes_with_its_file(filled: Workspace) -> None:
    sizes = sorted(file.rows for file in missing_names(filled))
    build_names(filled, missing_names(filled))
    stray = filled.folder / hot.FOLDER / f"gone{hot.NAMES}"
    stray.write_bytes(b"x")

    hot.tidy(filled)

    assert sizes == [5, 5, 5]
    assert not stray.exists()
    assert missing_names(filled) == []
