"""Recognising people in a small shop, and taking it back."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from segctl.model.errors import Refused, UsageError
from segctl.model.project import Project
from segctl.operations.apply import apply
from segctl.operations.dedupe.answers import read_decisions, record
from segctl.operations.dedupe.decisions import decide
from segctl.operations.dedupe.dedupe import Deduped, dedupe
from segctl.operations.dedupe.review import doubts, write_doubts
from segctl.operations.dedupe.undo import undo
from segctl.operations.diff import diff
from segctl.operations.explain_identity import explain_identity
from segctl.operations.ingest.ingest import chosen_sources, ingest, open_for_ingest, sources_of
from segctl.operations.people import find_person
from segctl.operations.profile import profile
from segctl.operations.session import open_session
from segctl.state.identity import EDGES, HELD, canonical, decisions, identity_runs, stored
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROJECT = """
segctl: 1
name: shop
timezone: Europe/Berlin
identifiers:
  customer_id: {class: known}
  email: {class: known, personal: true}
  device_id: {class: anonymous}
traits: {first_name: text, mobile: text, city: text}
events: {page_viewed: {properties: {section: text}}}
identity: {country: DE}
"""
CRM = """source: crm
path: crm.csv
key: {customer_id: customer, email: mail}
profiles: {first_name: first, mobile: mobile, city: city}
"""
WEB = """source: web
path: web.csv
key: {customer_id: customer, device_id: device}
events:
  - event: page_viewed
    time: at
    id: id
    properties: {section: section}
"""
PEOPLE = """customer,mail,first,mobile,city
K1,Anna@post.example,Anna,0171 4455667,Bonn
K2,anna@post.example,Anna,,Bonn
K3,ben@post.example,Ben,+49 171 4455667,Ulm
K4,,Carla,0160 9988776,Ulm
K5,,Carla,0049 160 9988776,Ulm
"""
VIEWS = """id,at,customer,device,section
1,2026-11-01T08:00:00Z,,d1,home
2,2026-11-01T09:00:00Z,K1,d1,cart
3,2026-11-02T09:00:00Z,K3,d2,cart
4,2026-11-02T10:00:00Z,K4,d2,cart
"""


@dataclass
class Shop:
    root: Path
    calls: int = 0

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")

    @contextmanager
    def open(self) -> Iterator[tuple[Project, Workspace]]:
        with open_for_ingest(self.root, create=False) as (project, workspace):
            yield project, workspace

    def now(self) -> datetime:
        self.calls += 1
        return NOW + timedelta(hours=self.calls)

    def ingest(self) -> None:
        with open_for_ingest(self.root) as (project, workspace):
            found = ingest(project, workspace, chosen_sources(sources_of(project), []), now=self.now())
        assert [s.error for s in found.sources if s.error] == []

    def dedupe(self, **options: object) -> Deduped:
        with self.open() as (project, workspace):
            return dedupe(project, workspace, now=self.now(), **options)

    def profiles(self) -> list[list[str]]:
        """Identifiers of every profile, by profile."""
        with self.open() as (_, workspace):
            from segctl.state.subjects import Subjects

            rows = Subjects(workspace).table().select("id_type", "value").collect().rows()
            owners = canonical(workspace)
            of = list(range(len(rows))) if owners is None else owners.to_list()
        found: dict[int, list[str]] = {}
        for (id_type, value), owner in zip(rows, of, strict=True):
            found.setdefault(owner, []).append(f"{id_type}:{value}")
        return sorted(sorted(values) for values in found.values())

    def state(self) -> tuple[object, ...]:
        with self.open() as (_, workspace):
            frames = [stored(workspace, name) for name in (EDGES, HELD)]
            array = canonical(workspace)
            return (
                None if array is None else array.to_list(),
                *(f.rows() if f is not None and f.height else [] for f in frames),
            )

    def apply(self) -> None:
        with open_session(self.root) as session:
            at = self.now()
            apply(session, as_of=at, started=at)

    def moves(self) -> list[tuple[str, str, str, str | None]]:
        with open_session(self.root) as session:
            frame = diff(session, now=self.now(), with_moves=True).moves
        assert frame is not None
        return sorted(frame.select("segment", "profile_id", "change", "cause").rows())


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    for name, text in (("segctl.yaml", PROJECT), ("sources/crm.yaml", CRM), ("sources/web.yaml", WEB)):
        made.write(name, text)
    made.write("crm.csv", PEOPLE)
    made.write("web.csv", VIEWS)
    made.write("segments/viewers.yaml", "segment: viewers\nwhere:\n  event: page_viewed\n  count: {at_least: 2}\n")
    made.ingest()
    return made


ANNA = ["customer_id:K1", "customer_id:K2", "device_id:d1", "email:Anna@post.example", "email:anna@post.example"]
BEN = ["customer_id:K3", "email:ben@post.example"]
CARLA = ["customer_id:K4", "customer_id:K5"]


def test_identifiers_of_one_person_become_one_profile(shop: Shop) -> None:
    found = shop.dedupe()

    assert shop.profiles() == [ANNA, BEN, CARLA, ["device_id:d2"]]
    assert (found.before, found.after, found.events["merged"]) == (10, 4, 3)
    assert sorted(found.held.select("key", "left", "right", "reason").rows()) == [
        ("device_id", "K3", "K4", "both have customer_id"),
        ("device_id", "K3", "device_id:d2", "both have customer_id"),
        ("phone", "K1", "K3", "both have email"),
    ]


def test_a_second_run_changes_nothing(shop: Shop) -> None:
    shop.dedupe()
    before = shop.state()

    again = shop.dedupe()

    assert again.run is None
    assert shop.state() == before
    with shop.open() as (_, workspace):
        assert len(identity_runs(workspace)) == 1


def test_a_dry_run_records_nothing(shop: Shop) -> None:
    found = shop.dedupe(dry_run=True)

    assert (found.run, found.after) == (None, 4)
    assert shop.state()[0] is None


def test_a_login_brings_the_devices_earlier_events_and_diff_says_so(shop: Shop) -> None:
    shop.apply()
    shop.dedupe()
    shop.apply()

    assert shop.moves() == [("viewers", "K1", "entered", "merged with 4 profiles (i1)")]
    with open_session(shop.root) as session:
        counts = diff(session, now=shop.now())
    assert (counts.moves, counts.identity_moves, counts.identity_runs) == (None, 1, ("i1",))


def test_diff_blames_no_merge_that_both_runs_knew(shop: Shop) -> None:
    shop.dedupe()
    shop.apply()
    shop.apply()

    with open_session(shop.root) as session:
        counts = diff(session, now=shop.now())
    assert (counts.identity_moves, counts.identity_runs) == (0, ())


def test_undo_of_a_run_restores_the_state_before_and_the_next_run_keeps_it(shop: Shop) -> None:
    shop.dedupe()
    shop.write("crm.csv", PEOPLE + "K6,ben@post.example,Ben,,Ulm\n")
    shop.ingest()
    before = shop.profiles(), shop.state()
    shop.dedupe()
    assert ["customer_id:K3", "customer_id:K6", "email:ben@post.example"] in shop.profiles()

    with shop.open() as (project, workspace):
        undone = undo(project, workspace, "last", now=shop.now(), who="me")

    assert (shop.profiles(), shop.state()) == before
    assert (undone.subjects, undone.profiles, undone.decisions) == (1, 1, 1)
    shop.dedupe()
    assert shop.profiles() == before[0]


def test_undo_of_one_profile_leaves_the_others(shop: Shop) -> None:
    shop.dedupe()

    with shop.open() as (project, workspace):
        undo(project, workspace, "K5", now=shop.now(), why="two sisters")
        reasons = {row.why for row in decisions(workspace)}

    assert reasons == {"two sisters"}
    assert shop.profiles() == [ANNA, BEN, ["customer_id:K4"], ["customer_id:K5"], ["device_id:d2"]]


def test_undo_of_an_earlier_run_keeps_what_later_ones_did(shop: Shop) -> None:
    shop.dedupe()
    shop.write("crm.csv", PEOPLE + "K6,new@post.example,Dora,,Jena\nK7,New@post.example,Dora,,Jena\n")
    shop.ingest()
    shop.dedupe()

    with shop.open() as (project, workspace):
        undo(project, workspace, "i1", now=shop.now())

    dora = ["customer_id:K6", "customer_id:K7", "email:New@post.example", "email:new@post.example"]
    assert [p for p in shop.profiles() if len(p) > 1] == [dora]


def test_what_cannot_be_undone_is_refused(shop: Shop) -> None:
    shop.dedupe()
    with shop.open() as (project, workspace):
        undo(project, workspace, "i1", now=shop.now())
        for what in ("i2", "K1"):
            with pytest.raises(UsageError) as error:
                undo(project, workspace, what, now=shop.now())
            assert error.value.code == "SEG478"


def test_a_decision_wins_over_rules_and_lasts(shop: Shop) -> None:
    shop.dedupe()
    with shop.open() as (_, workspace):
        decide(workspace, "K1", "K2", "cannot", now=shop.now(), who="me", why="mother and daughter")
        decide(workspace, "K3", "K4", "must", now=shop.now())

    shop.dedupe()

    apart = shop.profiles()
    assert not [p for p in apart if "customer_id:K1" in p and "customer_id:K2" in p]
    assert [p for p in apart if "customer_id:K3" in p and "customer_id:K4" in p]
    assert shop.dedupe().run is None


def test_a_profile_keeps_its_id_and_anybody_finds_it(shop: Shop) -> None:
    shop.dedupe()

    with shop.open() as (_, workspace):
        ids = {who: find_person(workspace, who)[0].profile_id for who in ("K2", "d1", "anna@post.example")}
        whole = find_person(workspace, "K1")[1]

    assert set(ids.values()) == {"K1"}
    assert len(whole) == 5


@pytest.mark.parametrize("name", ["doubts.csv", "doubts.json"])
def test_doubtful_pairs_go_out_to_a_file_and_decisions_come_back(shop: Shop, name: str) -> None:
    import csv
    import json

    shop.dedupe()
    path = shop.root / name
    with shop.open() as (project, workspace):
        write_doubts(doubts(project, workspace, now=shop.now()), path)
    text = path.read_text("utf-8-sig")
    rows = json.loads(text) if name.endswith("json") else list(csv.DictReader(text.splitlines()))
    assert sorted((r["left"], r["right"], r["left_first_name"], r["right_first_name"] or "") for r in rows) == [
        ("K1", "K3", "Anna", "Ben"), ("K3", "K4", "Ben", "Carla"), ("K3", "device_id:d2", "Ben", ""),
    ]  # fmt: skip
    verdicts = {("K3", "device_id:d2"): "must", ("K1", "K3"): "no"}
    for row in rows:
        row["verdict"] = verdicts.get((row["left"], row["right"]), "")
    with path.open("w", encoding="utf-8", newline="") as file:
        if name.endswith("json"):
            json.dump(rows, file)
        else:
            writer = csv.DictWriter(file, rows[0], delimiter=";")
            writer.writeheader()
            writer.writerows(rows)

    with shop.open() as (project, workspace):
        assert record(workspace, read_decisions(workspace, path), now=shop.now()) == 2
    shop.dedupe()

    assert [*BEN[:1], "device_id:d2", *BEN[1:]] in shop.profiles()
    with shop.open() as (project, workspace):
        assert [(d.left_id, d.right_id) for d in doubts(project, workspace, now=shop.now())] == [("K3", "K4")]


@pytest.mark.parametrize(
    "text",
    ["left,right\nK1,K3\n", "left,right,verdict\nK1,K3,perhaps\n", "left,right,verdict\nK1,nobody,must\n", b"\xff\xfe"],
)
def test_decisions_that_cannot_be_read_change_nothing(shop: Shop, text: str | bytes) -> None:
    path = shop.root / "made.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with shop.open() as (_, workspace), pytest.raises(UsageError) as error:
        read_decisions(workspace, path)

    assert error.value.code == "SEG476"


def test_a_profile_that_is_too_large_is_an_error_and_changes_nothing(shop: Shop) -> None:
    shop.write("segctl.yaml", PROJECT.replace("{country: DE}", "{country: DE, max_cluster: 4}"))

    with pytest.raises(Refused) as error:
        shop.dedupe()

    assert error.value.code == "SEG474"
    assert "3 by `email`, 1 by `device_id`" in (error.value.why or "")
    assert shop.state()[0] is None


def test_a_source_that_is_unique_by_itself_never_has_two_in_one_profile(shop: Shop) -> None:
    shop.write("segctl.yaml", PROJECT.replace("{country: DE}", "{country: DE, exclusive: [crm]}"))

    shop.dedupe()

    assert [len([i for i in p if i.startswith("customer")]) for p in shop.profiles() if len(p) > 1] == [1, 1]


def _alike(shop: Shop) -> None:
    """Seven people, three records each, with no key in common."""
    shop.write(
        "segctl.yaml",
        PROJECT.replace("traits: {", "traits: {last_name: text, birth_date: date, ").replace(
            "{country: DE}", "{country: DE, keys: {name_birth_date: {strength: never}}}"
        ),
    )
    shop.write("sources/crm.yaml", CRM.replace("{first_name", "{last_name: last, birth_date: born, first_name"))
    people = ["customer,mail,first,last,born,mobile,city"]
    names = ("Antje Becker", "Bernd Fuchs", "Clara Vogel", "Doris Winter", "Emil Sommer", "Frieda Lang", "Georg Kurz")
    for number, name in enumerate(names * 3):
        first, last = name.split()
        people.append(f"F{number},,{first},{last},19{60 + number % 7}-0{1 + number % 7}-1{number % 7},,Bonn")
    shop.write("crm.csv", "\n".join(people) + "\n")
    shop.ingest()


def test_likeness_joins_too_and_the_choice_lasts(shop: Shop) -> None:
    _alike(shop)

    found = shop.dedupe(fuzzy=True)
    later = shop.dedupe(dry_run=True)

    assert found.links["fuzzy"] >= 14
    assert found.links.get("name_birth_date") is None
    assert ["customer_id:F0", "customer_id:F14", "customer_id:F7"] in shop.profiles()
    assert (later.notes, later.after) == ((), found.after)
    assert shop.dedupe().run is None
    apart = shop.dedupe(fuzzy=False)
    assert "--fuzzy" in apart.notes[0]
    assert "fuzzy" not in apart.links
    assert apart.after > found.after
    # The choice lasts, and an undo takes it back too.
    assert shop.dedupe().run is None
    with shop.open() as (project, workspace):
        undo(project, workspace, "last", now=shop.now())
    again = shop.dedupe(dry_run=True)
    assert (again.after, again.likeness and again.likeness.fuzzy) == (found.after, True)
    shop.write(
        "segctl.yaml", (shop.root / "segctl.yaml").read_text("utf-8").replace("{country", "{likeness: false, country")
    )
    said = [shop.dedupe(dry_run=True, fuzzy=asked).likeness for asked in (None, True)]
    assert [(c.fuzzy, c.by) for c in said if c] == [(False, "segctl.yaml"), (True, "option")]


def test_the_sum_behind_two_people_is_told(shop: Shop) -> None:
    _alike(shop)
    with shop.open() as (project, workspace):
        fresh = explain_identity(project, workspace, "F0", "F1", now=shop.now(), fuzzy=True)
        assert explain_identity(project, workspace, "F0", "F1", now=shop.now()).alike is None
        with pytest.raises(UsageError, match="cannot be compared"):
            explain_identity(project, workspace, "F0", "F0", now=shop.now(), fuzzy=True)
    shop.dedupe(fuzzy=True)
    with shop.open() as (project, workspace):
        joined = explain_identity(project, workspace, "F0", "F7", now=shop.now())
        other = explain_identity(project, workspace, "F0", "F1", now=shop.now(), fuzzy=True)

    assert fresh.alike is not None
    assert fresh.alike.is_fresh
    assert joined.alike is not None
    assert not joined.alike.is_fresh
    assert joined.steps[0].key == "fuzzy"
    pair = joined.alike.pair
    assert pair.bits == pytest.approx(min(s.weight for s in joined.steps if s.weight is not None), abs=0.01)
    assert pair.bits == pytest.approx(pair.prior_bits + sum(f.bits + f.rarity for f in pair.fields))
    assert other.alike is not None
    assert other.alike.pair.probability < 0.5 < pair.probability
    assert other.alike.pair.bits == pytest.approx(fresh.alike.pair.bits)


def test_an_unknown_source_among_the_rules_is_named(shop: Shop) -> None:
    shop.write("segctl.yaml", PROJECT.replace("{country: DE}", "{country: DE, exclusive: [crn]}"))

    with pytest.raises(UsageError) as error:
        shop.dedupe()

    assert (error.value.code, error.value.hint) == ("SEG475", "did you mean `crm`?")


def test_rows_read_before_links_were_kept_are_told(shop: Shop) -> None:
    assert shop.dedupe().notes == ()
    with shop.open() as (_, workspace), workspace.transaction() as db:
        db.execute("UPDATE inputs SET note = '{}' WHERE source = 'web'")

    assert [note.split("`")[1] for note in shop.dedupe().notes] == ["web"]


def test_the_path_of_links_between_two_identifiers_is_explained(shop: Shop) -> None:
    shop.dedupe()

    with shop.open() as (project, workspace):
        far = explain_identity(project, workspace, "d1", "K2", now=shop.now())
        near = explain_identity(project, workspace, "K4", "K5", now=shop.now())

    assert far.are_one
    assert [(s.left[1], s.right[1], s.key, s.value, s.strength, s.sources) for s in far.steps] == [
        ("d1", "K1", "device_id", "d1", "weak", ("web",)),
        ("K1", "K2", "email", "anna@post.example", "strong", ("crm",)),
    ]
    assert [(s.key, s.value, s.sources) for s in near.steps] == [("phone", "+491609988776", ("crm",))]


def test_the_golden_record_says_where_each_value_comes_from(shop: Shop) -> None:
    rules = "{country: DE, survivorship: {city: first, first_name: {rule: latest, sources: [erp]}}}"
    shop.write("segctl.yaml", PROJECT.replace("{country: DE}", rules))
    shop.write("crm.csv", PEOPLE.replace("K2,anna@post.example,Anna,,Bonn", "K2,anna@post.example,Anne,,Köln"))
    shop.write("sources/erp.yaml", CRM.replace("crm", "erp"))
    shop.write("erp.csv", "customer,mail,first,mobile,city\nK1,,Ann,,Ulm\n")
    shop.ingest()
    shop.dedupe()

    with open_session(shop.root) as session:
        found = profile(session, "d1", now=shop.now()).traits

    assert [(t.trait, t.value, t.rule, t.source, t.place, t.others) for t in found] == [
        ("first_name", "Ann", "latest", "erp", "erp.csv:2", 0),
        ("mobile", "0171 4455667", "latest", "crm", "crm.csv:2", 0),
        ("city", "Bonn", "first", "crm", "crm.csv:2", 2),
    ]


def test_what_keeps_two_people_apart_is_explained(shop: Shop) -> None:
    shop.dedupe()
    with shop.open() as (project, workspace):
        decide(workspace, "K1", "K3", "cannot", now=shop.now(), who="me", why="asked her")

        found = explain_identity(project, workspace, "K2", "email:ben@post.example", now=shop.now())

    assert not found.are_one
    assert (found.steps, found.held) == ((), (("phone", "+491714455667", "both have email"),))
    assert [(verdict, who, why) for verdict, who, _, why in found.decided] == [("cannot", "me", "asked her")]


def test_a_link_over_a_key_that_never_joins_is_left_out(shop: Shop) -> None:
    never = "{country: DE, keys: {device_id: {strength: never}, phone: {strength: never}}}"
    shop.write("segctl.yaml", PROJECT.replace("{country: DE}", never))

    shop.dedupe()

    assert [p for p in shop.profiles() if len(p) > 1] == [[i for i in ANNA if i != "device_id:d1"], BEN]


STRONG = "{country: DE, keys: {device_id: {strength: strong}, phone: {strength: never}}}"


@pytest.mark.parametrize("seed", range(4))
def test_people_are_who_shares_an_identifier_with_somebody_who_does(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    crm, web = [], []
    for number in range(40):
        customer, mail = random.choice(["", f"C{random.randrange(15)}"]), f"m{random.randrange(25)}x@post.example"
        crm.append((customer, random.choice([mail, mail.upper(), ""]) if customer else mail))
        web.append((random.choice(["", f"C{random.randrange(20)}"]), f"dev{random.randrange(30)}", number))
    made = Shop(tmp_path)
    for name, text in (("segctl.yaml", PROJECT.replace("{country: DE}", STRONG)), ("sources/crm.yaml", CRM),
                       ("sources/web.yaml", WEB)):  # fmt: skip
        made.write(name, text)
    made.write("crm.csv", "customer,mail,first,mobile,city\n" + "".join(f"{c},{m},x,,\n" for c, m in crm))
    views = (f"{n},2026-11-01T08:00:00Z,{c},{d},home\n" for c, d, n in web)
    made.write("web.csv", "id,at,customer,device,section\n" + "".join(views))
    made.ingest()

    made.dedupe()

    rows = [{f"customer_id:{c}", f"email:{m}"} for c, m in crm] + [
        {f"customer_id:{c}", f"device_id:{d}"} for c, d, _ in web
    ]
    rows = [{value for value in row if not value.endswith(":")} for row in rows]
    # An address in capitals is another identifier of the same person.
    rows += [{value, value.replace("M", "m").lower()} for row in rows for value in row if value.startswith("email:")]
    known = {value for profile in made.profiles() for value in profile}
    assert made.profiles() == sorted(sorted(group & known) for group in naive_groups(rows) if group & known)


def naive_groups(rows: list[set[str]]) -> list[set[str]]:
    """Values that are together in a row, or in a chain of rows."""
    groups: list[set[str]] = []
    for row in rows:
        touched = [group for group in groups if group & row]
        groups = [group for group in groups if not group & row] + [row.union(*touched)]
    return groups


def test_the_terminal_asks_for_each_pair_and_goes_on_where_it_was(shop: Shop) -> None:
    shop.dedupe()

    first = on_terminal(shop.root, "nq")
    second = on_terminal(shop.root, "sy")

    assert "1 of 3: device_id" in first
    assert "1 decisions recorded of 3 pairs" in first
    assert "1 of 2:" in second
    assert "1 decisions recorded of 2 pairs" in second
    with shop.open() as (_, workspace):
        assert sorted(d.verdict for d in decisions(workspace)) == ["cannot", "must"]


def on_terminal(folder: Path, keys: str) -> str:
    """What `dedupe review` shows when somebody presses these keys."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "segctl", "dedupe", "review", "--no-progress"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}
    environment.pop("CI", None)  # there nobody sits at a terminal
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment) as process:
        os.close(theirs)
        said, pressed = b"", 0
        while select.select([ours], [], [], 60)[0]:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
            if said.count(b"[q]uit ") > pressed and pressed < len(keys):
                os.write(ours, keys[pressed].encode())
                pressed += 1
        else:
            process.kill()
    os.close(ours)
    return said.decode("utf-8", "replace")


@pytest.mark.parametrize("written", ["ANNA@Post.Example", "email:Anna@POST.example"])
def test_an_address_is_found_however_it_is_written(shop: Shop, written: str) -> None:
    shop.ingest()
    shop.dedupe()
    with open_session(shop.root) as session:
        assert profile(session, written).profile_id == "K1"
    with shop.open() as (project, workspace):
        assert find_person(workspace, written, rules=project.identity)[0].profile_id == "K1"
        with pytest.raises(UsageError, match="nobody is known"):
            find_person(workspace, "anne@post.example", rules=project.identity)
        left, right = decide(workspace, "BEN@post.example", "K1", "cannot", now=shop.now(), rules=project.identity)
        assert (left, right) == ("K3", "K1")
        assert explain_identity(project, workspace, "Ben@post.example", "K3", now=shop.now()).are_one


def test_a_number_is_found_as_typed(shop: Shop) -> None:
    shop.write("segctl.yaml", PROJECT.replace("  device_id:", "  phone: {class: known, personal: true}\n  device_id:"))
    shop.write("sources/crm.yaml", CRM.replace("email: mail", "phone: mobile"))
    shop.write("crm.csv", "customer,mail,first,mobile,city\nK1,,Anna,0171 4455667,Bonn\nK3,,Ben,0160 1,Ulm\n")
    shop.ingest()
    with shop.open() as (project, workspace):
        found = find_person(workspace, "+49 (0)171-4455667", rules=project.identity)
    assert found[0].id_type == "phone"


@pytest.mark.parametrize(
    ("a", "b", "told"), [("K1", "K99", "the second identifier"), ("K99", "K1", "the first identifier"),
                         ("K98", "K99", "either identifier")],
)  # fmt: skip
def test_which_of_two_people_is_unknown_is_told(shop: Shop, a: str, b: str, told: str) -> None:
    with shop.open() as (project, workspace):
        for ask in (
            lambda: explain_identity(project, workspace, a, b, now=shop.now()),
            lambda: decide(workspace, a, b, "must", now=shop.now()),
        ):
            with pytest.raises(UsageError) as error:
                ask()
            assert (error.value.code, error.value.message) == ("SEG504", f"nobody is known by {told}")
