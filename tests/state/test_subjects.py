from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.model.errors import IntegrityError
from segctl.model.project import IdentifierType
from segctl.state.compaction import compact
from segctl.state.identity import canonical, write_canonical
from segctl.state.inputs import begin_input, finish_input, input_by_id, inputs, is_ingested, newest_input
from segctl.state.subjects import Subjects, subject_count
from segctl.state.workspace import Workspace

TYPES = (
    IdentifierType("customer_id"),
    IdentifierType("email", personal=True),
    IdentifierType("device_id", "anonymous"),
)


def resolve(subjects: Subjects, *pairs: tuple[str | None, str | None]) -> list[int | None]:
    frame = pl.DataFrame(pairs, schema={"t": pl.String, "v": pl.String}, orient="row")
    return subjects.resolve(frame["t"], frame["v"]).to_list()


def test_an_identifier_has_one_subject_for_ever(workspace: Workspace) -> None:
    first = resolve(Subjects(workspace, TYPES), ("customer_id", "7"), ("email", "a@x.example"), ("customer_id", "7"))
    later = resolve(Subjects(workspace, TYPES), ("device_id", "7"), ("email", "a@x.example"), ("customer_id", "7"))

    assert first == [0, 1, 0]
    assert later == [2, 1, 0]


def test_a_missing_identifier_has_no_subject(workspace: Workspace) -> None:
    assert resolve(Subjects(workspace, TYPES), ("email", None), (None, "x"), ("email", ""), ("email", " ")) == [
        None
    ] * 3 + [0]
    assert resolve(Subjects(workspace, TYPES)) == []


def test_profile_ids_are_minted_by_type(workspace: Workspace) -> None:
    subjects = Subjects(workspace, TYPES)
    resolve(
        subjects, ("customer_id", "01067"), ("email", "a@x.example"), ("device_id", "D"), ("customer_id", "email:1")
    )

    found = subjects.table().collect()

    digest = hashlib.sha256(b"email\x1fa@x.example").hexdigest()[:16]
    assert found["profile_id"].to_list() == ["01067", f"email:{digest}", "device_id:D", "customer_id:email:1"]
    assert found["identifier_class"].to_list() == ["known", "known", "anonymous", "known"]
    assert found["subject"].to_list() == [0, 1, 2, 3]
    assert found.schema["subject"] == pl.Int32


def test_a_personal_first_type_never_becomes_a_bare_profile_id(workspace: Workspace) -> None:
    subjects = Subjects(workspace, (IdentifierType("email", personal=True), IdentifierType("customer_id")))
    resolve(subjects, ("email", "a@x.example"), ("customer_id", "7"))

    assert all(":" in name for name in subjects.table().collect()["profile_id"])
    assert "a@x.example" not in "".join(subjects.table().collect()["profile_id"])


def test_profile_ids_stay_unique_when_the_first_type_changes(workspace: Workspace) -> None:
    resolve(Subjects(workspace, TYPES), ("customer_id", "7"))
    other = (IdentifierType("member"), *TYPES)

    resolve(Subjects(workspace, other), ("member", "7"), ("member", "8"))

    assert Subjects(workspace).table().collect()["profile_id"].to_list() == ["7", "member:7", "8"]


def test_a_person_is_found_by_any_of_their_names(workspace: Workspace) -> None:
    subjects = Subjects(workspace, TYPES)
    resolve(subjects, ("customer_id", "7"), ("email", "a@x.example"), ("device_id", "7"), ("device_id", "a:b"))

    def found(text: str) -> list[int]:
        return [row.subject for row in subjects.find(text)]

    assert found("7") == [0, 2]
    assert found("device_id:7") == [2]
    assert found("a@x.example") == found("email:a@x.example") == [1]
    assert found(subjects.find("a@x.example")[0].profile_id) == [1]
    assert found("a:b") == found("device_id:a:b") == [3]
    assert found("nobody") == found("") == []


def test_what_others_assign_meanwhile_is_seen(workspace: Workspace) -> None:
    one, two = Subjects(workspace, TYPES), Subjects(workspace, TYPES)

    assert resolve(one, ("customer_id", "a")) == [0]
    assert resolve(two, ("customer_id", "b"), ("customer_id", "a")) == [1, 0]
    assert resolve(one, ("customer_id", "c"), ("customer_id", "b")) == [2, 1]


def test_an_undeclared_type_is_an_error_and_assigns_nothing(workspace: Workspace) -> None:
    with pytest.raises(KeyError):
        resolve(Subjects(workspace, TYPES), ("customer_id", "1"), ("phone", "2"))

    assert subject_count(workspace) == 0


def test_a_missing_range_of_subjects_is_an_integrity_error(workspace: Workspace) -> None:
    subjects = Subjects(workspace, TYPES)
    resolve(subjects, ("customer_id", "a"))
    resolve(subjects, ("customer_id", "b"))
    workspace.commit("test", remove=[workspace.files("subjects")[0].id])

    with pytest.raises(IntegrityError):
        subjects.table()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from([t.name for t in TYPES]), st.text(min_size=1, max_size=3)), max_size=8),
        max_size=5,
    )
)
def test_numbers_are_dense_distinct_and_stable(tmp_path_factory: pytest.TempPathFactory, calls: list) -> None:
    with Workspace.open(tmp_path_factory.mktemp("ws"), create=True) as workspace:
        expected: dict[tuple[str, str], int] = {}
        lasting = Subjects(workspace, TYPES)
        for turn, pairs in enumerate(calls):
            found = resolve(lasting if turn % 2 else Subjects(workspace, TYPES), *pairs)
            for pair in pairs:
                expected.setdefault(pair, len(expected))
            assert found == [expected[pair] for pair in pairs]
            if turn == 2:
                compact(workspace)

        table = Subjects(workspace).table().collect()
        assert dict(zip(zip(table["id_type"], table["value"], strict=True), table["subject"], strict=True)) == expected
        assert table["profile_id"].n_unique() == table.height == subject_count(workspace)


ASSIGN = """
import sys
from pathlib import Path
import polars as pl
from segctl.model.project import IdentifierType
from segctl.state.subjects import Subjects
from segctl.state.workspace import Workspace
start, folder = int(sys.argv[2]), Path(sys.argv[1])
with Workspace.open(folder) as workspace:
    subjects = Subjects(workspace, (IdentifierType("customer_id"),))
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(15):
        values = pl.Series([str(start + n * 10 + i) for i in range(20)])
        found = subjects.resolve(pl.Series(["customer_id"] * 20), values)
        for value, subject in zip(values, found):
            print(value, subject)
"""


def test_two_processes_at_once_give_no_identifier_two_subjects(workspace: Workspace) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", ASSIGN, str(workspace.folder), str(start)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for start in (0, 5)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    said: dict[str, set[str]] = {}
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        out, _ = racer.communicate(timeout=60)
        assert racer.returncode == 0
        for line in out.splitlines():
            value, subject = line.split()
            said.setdefault(value, set()).add(subject)

    assert all(len(subjects) == 1 for subjects in said.values())
    table = Subjects(workspace).table().collect()
    assert table["value"].n_unique() == table.height == len(said)
    assert {v: str(s) for v, s in zip(table["value"], table["subject"], strict=True)} == {
        v: s.pop() for v, s in said.items()
    }


def test_without_merges_everybody_is_their_own_profile(workspace: Workspace) -> None:
    resolve(Subjects(workspace, TYPES), ("customer_id", "a"))

    assert canonical(workspace) is None


def test_later_subjects_stand_for_themselves_and_old_snapshots_for_what_was_known(workspace: Workspace) -> None:
    subjects = Subjects(workspace, TYPES)
    resolve(subjects, ("customer_id", "a"), ("customer_id", "b"))
    before = workspace.snapshot()
    new, old = write_canonical(workspace, pl.Series([0, 0]))
    workspace.commit("identity", add=[new], remove=old)
    merged = workspace.snapshot()
    resolve(subjects, ("customer_id", "c"))
    again, replaced = write_canonical(workspace, pl.Series([0, 1, 1]))
    workspace.commit("identity", add=[again], remove=replaced)

    assert canonical(workspace, before) is None
    assert canonical(workspace, merged).to_list() == [0, 0]
    assert canonical(workspace, merged + 1).to_list() == [0, 0, 2]
    assert canonical(workspace).to_list() == [0, 1, 1]
    assert canonical(workspace).dtype == pl.Int32


def test_an_input_counts_only_when_its_rows_are_committed(workspace: Workspace) -> None:
    number = begin_input(workspace, "shop", "a.csv", digest="d1", size=9, modified=1.5)

    assert not is_ingested(workspace, "shop", "d1")
    assert newest_input(workspace, "shop", "a.csv") is None

    seq = workspace.commit("ingest", within=finish_input(number, rows=3, good=2, bad=1, note={"encoding": "cp1252"}))
    found = newest_input(workspace, "shop", "a.csv")

    assert is_ingested(workspace, "shop", "d1")
    assert not is_ingested(workspace, "other", "d1")
    assert found == input_by_id(workspace, number)
    assert found is not None
    assert (found.rows, found.good, found.bad, found.commit, found.note) == (3, 2, 1, seq, {"encoding": "cp1252"})
    assert (found.size, found.modified) == (9, 1.5)


def test_the_ledger_speaks_of_a_snapshot(workspace: Workspace) -> None:
    for digest in ("d1", "d2"):
        number = begin_input(workspace, "shop", "a.csv", digest=digest, size=1)
        workspace.commit("ingest", within=finish_input(number, rows=1, good=1, bad=0))

    assert [i.digest for i in inputs(workspace, "shop")] == ["d1", "d2"]
    assert [i.digest for i in inputs(workspace, snapshot=1)] == ["d1"]
    assert inputs(workspace, "other") == []
    newest = newest_input(workspace, "shop", "a.csv")
    assert newest is not None
    assert newest.digest == "d2"


def test_a_file_name_that_is_no_text_is_remembered(workspace: Workspace) -> None:
    name = b"K\xe4ufe.csv".decode("utf-8", "surrogateescape")
    number = begin_input(workspace, "shop", name, digest="d", size=1)
    workspace.commit("ingest", within=finish_input(number, rows=1, good=1, bad=0))

    found = newest_input(workspace, "shop", name)

    assert found is not None
    assert Path(found.path).name == "K\\xe4ufe.csv"
