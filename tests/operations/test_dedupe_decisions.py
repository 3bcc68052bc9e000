"""Decisions about people: which of them count, and that what was undone stays so."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest

from segctl.cli.review import side_by_side
from segctl.model.errors import UsageError
from segctl.model.project import Project
from segctl.operations.dedupe.answers import read_decisions, record
from segctl.operations.dedupe.decisions import decide, in_force, left_by_undo
from segctl.operations.dedupe.dedupe import Deduped, dedupe
from segctl.operations.dedupe.review import Doubt, as_file, doubts
from segctl.operations.dedupe.undo import Undone, undo
from segctl.operations.ingest.ingest import chosen_sources, ingest, open_for_ingest, sources_of
from segctl.state.identity import Decision, canonical, decisions
from segctl.state.subjects import Subjects
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROJECT = """
segctl: 1
name: shop
identifiers:
  customer_id: {class: known}
  email: {class: known, personal: true}
traits: {city: text}
events: {}
identity: {keys: {customer_id: {limit: 1}}}
"""
SOURCE = "source: crm\npath: crm.csv\nkey: {customer_id: customer, email: mail}\nprofiles: {city: city}\n"


@dataclass
class People:
    root: Path
    calls: int = 0

    @contextmanager
    def open(self) -> Iterator[tuple[Project, Workspace]]:
        with open_for_ingest(self.root) as (project, workspace):
            yield project, workspace

    def now(self) -> datetime:
        self.calls += 1
        return NOW + timedelta(hours=self.calls)

    def read(self, *rows: str, project: str = PROJECT) -> None:
        (self.root / "sources").mkdir(exist_ok=True)
        (self.root / "segctl.yaml").write_text(project, "utf-8")
        (self.root / "sources" / "crm.yaml").write_text(SOURCE, "utf-8")
        (self.root / "crm.csv").write_text("\n".join(["customer,mail,city", *rows]) + "\n", "utf-8")
        with self.open() as (bound, workspace):
            found = ingest(bound, workspace, chosen_sources(sources_of(bound), []), now=self.now())
        assert [s.error for s in found.sources if s.error] == []

    def dedupe(self) -> Deduped:
        with self.open() as (project, workspace):
            return dedupe(project, workspace, now=self.now())

    def undo(self, what: str, *, dry_run: bool = False) -> Undone:
        with self.open() as (project, workspace):
            return undo(project, workspace, what, now=self.now(), dry_run=dry_run)

    def owners(self) -> list[int]:
        with self.open() as (_, workspace):
            owners = canonical(workspace)
        assert owners is not None
        return owners.to_list()

    def decide(self, a: str, b: str, verdict: str) -> None:
        with self.open() as (_, workspace):
            decide(workspace, a, b, verdict, now=self.now())

    def profiles(self) -> list[str]:
        with self.open() as (_, workspace):
            values = Subjects(workspace).table().select("value").collect()["value"].to_list()
            owners = canonical(workspace)
        assert owners is not None
        assert owners.gather(owners).equals(owners)
        found: dict[int, list[str]] = {}
        for value, owner in zip(values, owners.to_list(), strict=True):
            found.setdefault(owner, []).append(value)
        return sorted(" ".join(sorted(group)) for group in found.values())


@pytest.fixture
def people(tmp_path: Path) -> People:
    return People(tmp_path)


def test_who_says_that_two_are_one_overrules_a_limit(people: People) -> None:
    people.read("K1,a@x.example,", "K2,a@x.example,", "K2,b@x.example,")
    people.dedupe()
    assert len([p for p in people.profiles() if "K1" in p and "K2" in p]) == 0

    people.decide("K1", "K2", "must")
    people.dedupe()

    assert people.profiles() == ["K1 K2 a@x.example b@x.example"]
    assert people.dedupe().run is None


def test_the_newest_of_decisions_that_contradict_each_other_counts(people: People) -> None:
    people.read("K1,,", "K2,,", "K3,,")
    people.decide("K1", "K3", "cannot")
    people.decide("K1", "K2", "must")
    people.decide("K2", "K3", "must")

    found = people.dedupe()

    assert people.profiles() == ["K1 K2 K3"]
    assert found.notes == ("1 decisions contradict newer ones, which count",)


LOOSE = PROJECT.replace("{limit: 1}", "{limit: 9}")


def test_undo_of_a_person_twice_does_not_join_again(people: People) -> None:
    people.read("K1,a@x.example,", "K2,a@x.example,", project=LOOSE)
    people.dedupe()
    people.undo("K2")
    before = people.profiles()

    for who in ("K1", "K2", "a@x.example"):
        with pytest.raises(UsageError) as error:
            people.undo(who)
        assert error.value.code == "SEG478"

    assert people.profiles() == before


@pytest.mark.parametrize("how", ["last", "i2", "K2"])
def test_what_a_decision_joined_stays_apart_after_its_undo(people: People, how: str) -> None:
    """The decision was about other identifiers than those that stand for the profiles."""
    people.read("K1,a@x.example,", "K2,b@x.example,", project=LOOSE)
    people.dedupe()
    people.decide("a@x.example", "b@x.example", "must")
    people.dedupe()
    assert people.profiles() == ["K1 K2 a@x.example b@x.example"]

    people.undo(how)
    people.dedupe()

    assert people.profiles() == ["K1 a@x.example", "K2 b@x.example"]


def test_what_a_decision_took_apart_stays_together_after_its_undo(people: People) -> None:
    people.read("K1,a@x.example,", "K2,a@x.example,", project=LOOSE)
    people.dedupe()
    before = people.profiles()
    people.decide("K1", "K2", "cannot")
    people.dedupe()
    assert people.profiles() != before

    people.undo("last")
    people.dedupe()

    assert people.profiles() == before


def test_undo_of_an_earlier_run_turns_its_decision_round(people: People) -> None:
    people.read("K1,a@x.example,", "K2,b@x.example,", project=LOOSE)
    people.dedupe()
    people.decide("a@x.example", "b@x.example", "must")
    people.dedupe()
    people.read("K1,a@x.example,", "K2,b@x.example,", "K8,c@x.example,", "K9,c@x.example,", project=LOOSE)
    people.dedupe()

    people.undo("i2")

    assert people.profiles() == ["K1 a@x.example", "K2 b@x.example", "K8 K9 c@x.example"]
    assert people.dedupe().run is None


HELD_BACK = PROJECT.replace("{city: text}", "{city: text, mobile: text}").replace(
    "{keys: {customer_id: {limit: 1}}}",
    "{country: DE}",
)


@pytest.mark.parametrize("how", ["K1", "last"])
def test_an_undo_frees_nobody_whom_only_the_undone_profile_held_back(
    people: People, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its address, nothing would speak against the first number any more."""
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", SOURCE.replace("{city: city}", "{mobile: city}"))
    rows = ["K1,,0171 4455667", "K2,a@x.example,", "K3,c@x.example,0171 4455667"]
    people.read(*rows, project=HELD_BACK)
    people.decide("K1", "K2", "must")
    people.dedupe()
    assert people.profiles() == ["K1 K2 a@x.example", "K3 c@x.example"]

    found = people.undo(how)
    assert people.dedupe().run is None

    # Undoing the run takes the third person apart, too.
    rest = ["K3 c@x.example"] if how == "K1" else ["K3", "c@x.example"]
    assert people.profiles() == sorted(["K1", "K2", "a@x.example", *rest])
    assert found.kept_apart == 1

    people.read(*rows, "K2,n@x.example,", "K9,n@x.example,", project=HELD_BACK)
    people.dedupe()
    assert "K2 K9 n@x.example" in people.profiles()


def test_an_earlier_run_is_taken_back_row_by_row(people: People) -> None:
    rows = ["K1,a@x.example,", "K2,a@x.example,", "K8,,", "K9,,"]
    people.read(*rows, project=LOOSE)
    people.decide("K8", "K9", "cannot")
    people.dedupe()
    before = people.owners()
    people.decide("K8", "K9", "must")
    people.dedupe()
    people.read(*rows, "K5,n@x.example,", "K6,n@x.example,", project=LOOSE)
    people.dedupe()
    dry = people.undo("i2", dry_run=True)

    found = people.undo("i2")

    assert (
        (dry.is_exact, dry.profiles, dry.subjects) == (found.is_exact, found.profiles, found.subjects) == (True, 1, 1)
    )
    assert people.owners()[: len(before)] == before
    assert people.profiles() == ["K1 K2 a@x.example", "K5 K6 n@x.example", "K8", "K9"]
    assert people.dedupe().run is None


def test_an_earlier_run_whose_profile_has_grown_is_decided_apart_and_says_so(people: People) -> None:
    people.read("K1,a@x.example,", "K2,a@x.example,", "K5,n@x.example,", "K6,n@x.example,", project=LOOSE)
    people.dedupe()
    people.read("K1,a@x.example,", "K2,a@x.example,", "K3,a@x.example,", project=LOOSE)
    people.dedupe()
    assert people.undo("i1", dry_run=True).changed_since == 1

    found = people.undo("i1")

    assert (found.is_exact, found.changed_since) == (False, 1)
    assert [p for p in people.profiles() if "K1" in p and "K2" in p] == []
    assert people.dedupe().run is None


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_put_back_is_what_was_there_and_lasts(people: People, seed: int) -> None:
    random = Random(seed)
    rows: list[str] = []
    arrays: list[list[int]] = []
    for _ in range(3):
        rows += [f"K{random.randrange(30)},m{random.randrange(30)}@x.example," for _ in range(4)]
        people.read(*rows, project=LOOSE)
        arrays.append(people.owners() if arrays else [])
        people.dedupe()
    for number in random.sample([1, 2], 2):
        now, after = people.owners(), arrays[number]
        before = [*arrays[number - 1], *range(len(arrays[number - 1]), len(after))]
        found = people.undo(f"i{number}")
        touched = {x for a, b in zip(before, after, strict=True) if a != b for x in (a, b)}
        near = [s for s, (a, b) in enumerate(zip(before, after, strict=True)) if {a, b} & touched]
        if found.is_exact:
            assert [people.owners()[s] for s in near] == [before[s] for s in near]
            assert [x for s, x in enumerate(people.owners()) if s not in near] == [
                x for s, x in enumerate(now) if s not in near
            ]
        assert people.dedupe().run is None


def _made(*words: str) -> list[Decision]:
    sign: Callable[[str], str] = lambda word: "must" if "=" in word else "cannot"  # noqa: E731 - one use
    pairs = [sorted(int(n) for n in word.replace("=", "/").split("/")) for word in words]
    return [Decision(a, b, sign(w), None, str(i), None) for i, ((a, b), w) in enumerate(zip(pairs, words, strict=True))]


def test_a_decision_is_overruled_through_a_chain() -> None:
    made = _made("1/4", "4=5", "1=2", "2=3", "3=4", "5/6", "6=7", "1/7")

    kept, overruled = in_force(made)

    assert overruled == made[:1]
    assert kept == made[1:]


def test_an_identity_whose_owner_is_elsewhere_is_told_apart_by_its_own() -> None:
    merged, restored = pl.Series([0, 0, 0, 3]), pl.Series([0, 1, 1, 3])

    assert left_by_undo(merged, restored, [], "why", "me") == [(0, 1, "cannot", "me", "why")]
    assert left_by_undo(restored, merged, [], "why", "me") == [(0, 1, "must", "me", "why")]
    assert left_by_undo(restored, merged, [], "why", "me", both=False) == []


def test_a_dry_run_decides_nothing(people: People) -> None:
    people.read("K1,,", "K2,,")

    with people.open() as (_, workspace):
        assert decide(workspace, "K1", "K2", "must", now=people.now(), dry_run=True) == ("K1", "K2")
        assert decisions(workspace) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("made.json", "[" * 100_000),
        ("made.csv", "left,right,verdict\nK1," + "x" * 200_000 + ",must\n"),
    ],
)
def test_a_hostile_file_of_decisions_is_refused(people: People, name: str, text: str) -> None:
    people.read("K1,,", "K2,,")
    (people.root / name).write_text(text, "utf-8")

    with people.open() as (_, workspace), pytest.raises(UsageError) as error:
        read_decisions(workspace, people.root / name)

    assert error.value.code == "SEG476"


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        (["K1,K2,must", "K2,K1,cannot"], ["line 2", "line 3"]),
        (["K1,K2,no", "K3,K1,", "K1,K2,ja"], ["line 4", "line 2"]),
        (["K1,K2,must", "K3,K2,must", "K1,K2,must", "K3,K1,cannot"], ["line 2", "line 3", "line 5"]),
        (["K1,K1,must"], []),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_whole(people: People, rows: list[str], places: list[str]) -> None:
    people.read("K1,,", "K2,,", "K3,,")
    (people.root / "made.csv").write_text("\n".join(["left,right,verdict", *rows]) + "\n", "utf-8")

    with people.open() as (_, workspace), pytest.raises(UsageError) as error:
        read_decisions(workspace, people.root / "made.csv")

    assert error.value.code == ("SEG415" if places else "SEG476")
    assert set(re.findall(r"line \d", error.value.why or "")) == set(places or ["line 2"])
    assert not places or set(re.findall(r"line \d", error.value.hint or "")) == set(places)


def test_decisions_that_agree_are_read(people: People) -> None:
    people.read("K1,,", "K2,,", "K3,,")
    text = "left,right,verdict\nK1,K2,must\nK2,K1,must\nK1,K3,cannot\nK2,K3,cannot\n"
    (people.root / "made.csv").write_text(text, "utf-8")

    with people.open() as (_, workspace):
        assert len(read_decisions(workspace, people.root / "made.csv")) == 4


def test_half_a_character_is_kept_as_its_number(people: People) -> None:
    people.read("K1,,", "K2,,")
    (people.root / "made.json").write_text(r'[{"left":"K1","right":"K2","verdict":"must","who":"\ud800"}]')

    with people.open() as (_, workspace):
        assert record(workspace, read_decisions(workspace, people.root / "made.json"), now=people.now()) == 1
        assert [d.who for d in decisions(workspace)] == ["\\ud800"]


def test_a_spreadsheet_finds_no_formula_among_doubts_and_ids_come_back(people: People) -> None:
    people.read("=K1,a@x.example,=1+2", "K2,a@x.example,+49")
    people.dedupe()
    with people.open() as (project, workspace):
        text = as_file(doubts(project, workspace, now=people.now()), Path("d.csv")).decode("utf-8-sig")
        assert text.splitlines()[1:] == ["'=K1,K2,,email,a@x.example,limit of customer_id,'=1+2,+49"]

        (people.root / "d.csv").write_text(text.replace("K2,,", "K2,must,"), "utf-8")
        assert [row[2] for row in read_decisions(workspace, people.root / "d.csv")] == ["must"]


def test_values_of_people_cannot_steer_the_terminal() -> None:
    doubt = Doubt(1, 2, "K\x1b[2J", "K2", "email", "a\x07b", "limit", {"city": ("\x1b[31mred", None)})

    assert "\x1b" not in (told := "".join(side_by_side(doubt, 1, 1, set(), personal=True)))
    assert "\x07" not in told
