"""Who may be told: each step of the waterfall, alone and together, against a slow evaluator of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from audience_shop import KIND, NOW, FakeGate, put_in_force, shop, tell, write_records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segctl.compile.selection import Selection
from segctl.connectors.destinations.base import Abilities
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.operations.audience.audience import Audience, audiences
from segctl.operations.audience.contacts import normal_form, row_digests, row_keys
from segctl.operations.session import Session
from segctl.state.identity import write_canonical
from segctl.state.subjects import Subjects

ADS = Abilities(("email", "phone"), "ads", 100, "ads")


def found(session: Session, gate: FakeGate | None = None, **more: Any) -> dict[str, Audience]:
    return {one.segment: one for one in audiences(session, gate or FakeGate(), now=NOW, **more)}


def told(audience: Audience) -> set[str]:
    return set(audience.rows["profile_id"])


def out(audience: Audience) -> dict[str, tuple[str, str, str | None]]:
    return {row[1]: row[2:] for row in audience.dropped.iter_rows()}


def merge(session: Session, *groups: tuple[int, ...], count: int) -> None:
    """The subjects of each group are one person, called like the first."""
    owner = {subject: group[0] for group in groups for subject in group}
    array = pl.Series("canonical", [owner.get(i, i) for i in range(count)], dtype=pl.Int32)
    file, gone = write_canonical(session.workspace, array)
    session.workspace.commit("identity", add=[file], remove=gone)


def mails(count: int) -> list[dict[str, Any]]:
    return [{"email": f"p{i}@post.example"} for i in range(count)]


def test_an_identifier_is_told_in_one_form_or_not_at_all(tmp_path: Path) -> None:
    people = [{"email": " Anna@Post.Example "}, {"email": "no address"}, {}, {"email": "anna@post.example"}]
    session = shop(tmp_path, people, {"winback": range(4)})

    audience = found(session)["winback"]

    assert audience.rows["id:email"].to_list() == ["anna@post.example"]
    assert out(audience) == {
        "c1": ("identifier", "malformed", None),
        "c2": ("identifier", "missing", None),
        "c3": ("identifier", "shared", None),
    }


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("email", "A.B+c@Ex.Example", "a.b+c@ex.example"),
        ("email", "a@b", None),
        ("email", "a..b@ex.example", None),
        ("email", "a@ex.example, b@ex.example", None),
        ("email", "j\u006f\u0308rg@ex.example", "j\u00f6rg@ex.example"),
        ("email", f"{'a' * 65}@ex.example", None),
        ("phone", "0151 23456789", "+4915123456789"),
        ("phone", "12", None),
        ("external_id", "A-1", "A-1"),
        ("external_id", "", None),
    ],
)
def test_the_normal_form_of(kind: str, written: str, expected: str | None) -> None:
    assert normal_form(kind, pl.Series([written]), country="DE").to_list() == [expected]


def test_keys_stay_the_same_for_ever() -> None:
    # BLAKE2b with 16 bytes of: email 0x1F 17 0x1F anna@post.example
    keys = row_keys({"email": pl.Series(["anna@post.example"])})

    assert keys.to_list() == ["96ac300c7e955e54751a9ce18e5b7084"]


def test_a_digest_knows_an_empty_text_from_none_and_two_values_from_one() -> None:
    ids = {"email": pl.Series(["a@x.example"] * 4)}

    digests = row_digests(ids, {"a": pl.Series(["", None, "b", "b\x1f"]), "b": pl.Series([None, "", None, None])})

    assert digests.n_unique() == 4


def test_every_contact_point_of_a_merged_person_has_a_say(tmp_path: Path) -> None:
    people = [{"email": "a@x.example"}, {"email": "b@x.example"}, {"email": "c@x.example"}]
    session = shop(tmp_path, people, {"winback": [1, 2]})
    merge(session, (0, 1), count=3)

    audience = found(session, FakeGate(consent={"a@x.example": "withdrawn"}))["winback"]

    assert told(audience) == {"c2"}
    assert out(audience) == {"c0": ("consent", "withdrawn", None)}
    free = found(session)["winback"].rows.filter(pl.col("profile_id") == "c0")
    assert free["id:email"].to_list() == ["b@x.example"]  # the newer record survives
    assert free["points"].to_list() == [[b"b@x.example", b"a@x.example"]]  # the one that is told comes first


def test_where_consent_is_given_by_kind_only_what_has_it_is_told(tmp_path: Path) -> None:
    people = [{"email": f"p{i}@x.example", "phone": f"+4915123456{i:03d}"} for i in range(4)]
    session = shop(tmp_path, people, {"winback": range(4)}, abilities=ADS)
    gate = FakeGate(
        consent={"+4915123456001": "unknown", "+4915123456002": "withdrawn", "p3@x.example": "unknown",
                 "+4915123456003": "unknown"},
    )  # fmt: skip

    audience = found(session, gate)["winback"]

    rows = {row["profile_id"]: (row["id:email"], row["id:phone"]) for row in audience.rows.iter_rows(named=True)}
    assert rows == {"c0": ("p0@x.example", "+4915123456000"), "c1": ("p1@x.example", None)}
    assert out(audience) == {"c2": ("consent", "withdrawn", None), "c3": ("consent", "unknown", None)}


def test_a_no_behind_an_unknown_first_address_keeps_a_person_out_of_advertising(tmp_path: Path) -> None:
    people = [{"email": f"p{i}@x.example", "first_name": f"q{i}@x.example", "phone": f"+4915123456{i:03d}"}
              for i in range(3)]  # fmt: skip
    points = (("email", ("email", "first_name")), ("phone", ("phone",)))
    session = shop(tmp_path, people, {"winback": range(3)}, abilities=ADS, contact_points=points)
    gate = FakeGate(consent={"p0@x.example": "unknown", "q0@x.example": "withdrawn", "q1@x.example": "merged"})

    audience = found(session, gate)["winback"]

    assert told(audience) == {"c1", "c2"}
    assert out(audience) == {"c0": ("consent", "withdrawn", None)}


def test_a_suppressed_second_kind_keeps_a_person_out_of_mail(tmp_path: Path) -> None:
    people = [{"email": f"p{i}@x.example", "phone": f"+4915123456{i:03d}"} for i in range(2)]
    session = shop(tmp_path, people, {"winback": range(2)}, abilities=replace(ADS, channel="email"))
    gate = FakeGate(consent={"+4915123456000": "unknown"}, suppression={"+4915123456001": "suppressed"})

    audience = found(session, gate)["winback"]

    assert told(audience) == {"c0"}  # nobody needs consent for a phone to get mail
    assert out(audience) == {"c1": ("suppression", "suppressed", None)}


def test_several_identifiers_of_a_person_are_told_side_by_side(tmp_path: Path) -> None:
    abilities = Abilities(("external_id", "user_name", "email"), "email", 100, "esp")
    names = (("external_id", "customer_id"), ("user_name", "login"))
    to = Destination("mail", KIND, purposes=("newsletter",), identify=names)
    session = shop(tmp_path, mails(2), {"winback": [0, 1]}, destinations=[to], abilities=abilities)
    resolver = Subjects(session.workspace, session.project.identifiers)
    resolver.resolve(pl.Series(["login"]), pl.Series(["anna"]))
    merge(session, (0, 2), count=3)

    rows = found(session)["winback"].rows.sort("profile_id")

    assert rows["id:external_id"].to_list() == ["c0", "c1"]
    assert rows["id:user_name"].to_list() == ["anna", None]
    assert rows["id:email"].to_list() == ["p0@post.example", "p1@post.example"]


def test_fields_are_told_in_plain_values_and_change_the_digest(tmp_path: Path) -> None:
    fields = (("pts", "points"), ("money", "balance"), ("tags", "tags"))
    people = [{"email": "a@x.example", "points": 3, "balance": 1250, "tags": ["x", "y"]}]
    to = Destination("mail", KIND, purposes=("newsletter",), fields=fields)
    session = shop(tmp_path, people, {"winback": [0]}, destinations=[to])

    first = found(session)["winback"].rows
    more = pl.DataFrame({"subject": pl.Series([0], dtype=pl.Int32), "points:i": [4]})
    write_records(session.workspace, more, source="loyalty")
    second = found(session)["winback"].rows

    assert [first[f"field:{name}"][0] for name, _ in fields] == [3, 12.5, "x;y"]
    assert first["key"].to_list() == second["key"].to_list()
    assert first["digest"].to_list() != second["digest"].to_list()


CAP = "caps: {week: {channel: email, at_most: 1, within_last: 7 days}}\n"


def test_within_one_push_the_first_segment_uses_up_the_cap(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(3), {"alpha": [0, 1], "beta": [1, 2]}, project=CAP)

    both = found(session)

    assert told(both["alpha"]) == {"c0", "c1"}
    assert told(both["beta"]) == {"c2"}
    assert out(both["beta"]) == {"c1": ("cap", "capped", "week")}
    assert told(found(session, selection=Selection(("beta",)))["beta"]) == {"c1", "c2"}


@pytest.mark.parametrize(("ago", "is_capped"), [(timedelta(days=7), False), (timedelta(days=7, microseconds=-1), True)])
def test_a_contact_counts_until_the_window_is_over(tmp_path: Path, ago: timedelta, is_capped: bool) -> None:
    session = shop(tmp_path, mails(2), {"alpha": [0, 1], "beta": [0, 1]}, project=CAP)
    tell(session, found(session)["alpha"], at=NOW - ago, only={"c0"})

    assert ("c0" in told(found(session, selection=Selection(("beta",)))["beta"])) != is_capped


def test_who_is_there_already_is_not_taken_out_by_a_cap(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(2), {"alpha": [0, 1]}, project=CAP)
    tell(session, found(session)["alpha"], at=NOW - timedelta(hours=1))

    again = found(session)["alpha"]

    assert told(again) == {"c0", "c1"}
    assert again.waterfall[-1].left == 0
    assert again.waterfall[-1].reasons == {"unchanged": 2}


def test_a_person_is_held_out_as_soon_as_one_half_is(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(3), {"winback": [0, 2], "kept": [1]}, project="holdout: [kept]\n")
    merge(session, (0, 1), count=3)

    audience = found(session)["winback"]

    assert told(audience) == {"c2"}
    assert out(audience) == {"c0": ("holdout", "held_out", "kept")}


def test_nothing_is_told_while_nobody_knows_who_is_held_out(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(1), {"winback": [0]}, segments={"kept": ""}, project="holdout: [kept]\n")

    with pytest.raises(UsageError) as caught:
        found(session)

    assert caught.value.code == "SEG850"


LISTS = "priority: {a: [first, second], b: [second, third]}\n"


def test_a_profile_goes_to_the_first_segment_of_each_list(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(3), {"third": [0, 1, 2], "second": [0, 1], "first": [0]}, project=LISTS)

    every = found(session)

    assert {name: told(one) for name, one in every.items()} == {
        "first": {"c0"}, "second": {"c1"}, "third": {"c0", "c2"},
    }  # fmt: skip
    # Person 0 was displaced from `second`, so `second` takes nobody from `third` with them.
    assert out(every["second"]) == {"c0": ("priority", "displaced", "first")}
    assert out(every["third"]) == {"c1": ("priority", "displaced", "second")}


def test_priority_does_not_depend_on_what_is_selected(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(3), {"third": [0, 1, 2], "second": [0, 1], "first": [0]}, project=LISTS)

    alone = found(session, selection=Selection(("third",)))

    assert list(alone) == ["third"]
    assert told(alone["third"]) == {"c0", "c2"}


def test_a_paused_segment_takes_nobody_new_from_others(tmp_path: Path) -> None:
    session = shop(
        tmp_path, mails(2), {"second": [0, 1], "first": [0, 1]}, segments={"first": "status: paused"}, project=LISTS
    )
    tell(session, found(session)["first"], at=NOW - timedelta(hours=1), only={"c1"})

    assert told(found(session)["second"]) == {"c0"}


def test_members_after_apply_can_be_given(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(3), {"winback": [0]})

    audience = found(session, members={"winback": pl.Series([1, 2], dtype=pl.Int32)})["winback"]

    assert told(audience) == {"c1", "c2"}


def test_a_renamed_segment_has_the_members_of_its_former_name(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(2), {"old": [1]})
    renamed = shop(tmp_path, [], {}, segments={"new": "formerly: [old]"})

    assert told(found(replace(renamed, workspace=session.workspace))["new"]) == {"c1"}


# --- All together, against an evaluator that goes person by person --------------------------------------
NAMES = ("first", "second", "third", "loose")
RULES = LISTS + CAP + "holdout: [kept]\n"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    members=st.fixed_dictionaries({name: st.sets(st.integers(0, 7)) for name in (*NAMES, "kept")}),
    kinds=st.lists(st.sampled_from(("right", "none", "broken", "no", "stop")), min_size=8, max_size=8),
    asked=st.sets(st.sampled_from(NAMES), min_size=1),
)
def test_every_person_falls_out_where_the_slow_evaluator_says(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, set[int]], kinds: list[str], asked: set[str]
) -> None:
    values = {"none": None, "broken": "at home"}
    people = [{"email": values.get(kind, f"p{i}@x.example"), "points": 1} for i, kind in enumerate(kinds)]
    gate = FakeGate(
        consent={f"p{i}@x.example": "unknown" for i, kind in enumerate(kinds) if kind == "no"},
        suppression={f"p{i}@x.example": "bounced" for i, kind in enumerate(kinds) if kind == "stop"},
    )
    session = shop(tmp_path_factory.mktemp("shop"), people, members, segments={"kept": "status: draft"}, project=RULES)

    got = found(session, gate, selection=Selection(tuple(sorted(asked))))

    expected = slowly(members, kinds, asked)
    assert set(got) == asked
    for name, audience in got.items():
        steps = {int(who[1:]): step for who, (step, *_) in out(audience).items()}
        steps |= {int(who[1:]): "told" for who in told(audience)}
        assert steps == expected[name]
        left = [len(members[name])]
        for step in audience.waterfall[1:-1]:
            left.append(left[-1] - sum(at == step.name for at in steps.values()))
            assert (step.left, step.dropped, sum(step.reasons.values())) == (
                left[-1],
                left[-2] - left[-1],
                step.dropped,
            )
    session.workspace.close()


def slowly(members: Mapping[str, set[int]], kinds: list[str], asked: set[str]) -> dict[str, dict[int, str]]:
    """Segment → person → step at which they fall out, or ``told``."""
    lists = (("first", "second"), ("second", "third"))
    contacted: dict[int, int] = {}
    result: dict[str, dict[int, str]] = {}
    for name in ("first", "loose", "second", "third"):
        result[name] = {}
        for who in sorted(members[name]):
            step = {"none": "identifier", "broken": "identifier", "no": "consent", "stop": "suppression"}.get(
                kinds[who]
            )
            if step is None and contacted.get(who, 0) >= 1:
                step = "cap"
            if step is None and who in members["kept"]:
                step = "holdout"
            ahead = [one for names in lists if name in names for one in names[: names.index(name)]]
            if step is None and any(result[one].get(who) == "told" for one in ahead):
                step = "priority"
            result[name][who] = step or "told"
        for who, step in result[name].items():
            if step == "told" and name in asked:
                contacted[who] = contacted.get(who, 0) + 1
    return result


def test_a_new_member_is_new_after_the_next_run(tmp_path: Path) -> None:
    session = shop(tmp_path, mails(2), {"winback": [0]})
    tell(session, found(session)["winback"], at=NOW)
    subjects = pl.Series([0, 1], dtype=pl.Int32)
    put_in_force(session.workspace, pl.DataFrame({"subject": subjects, "winback": [True, True]}), at=NOW)

    change = found(session)["winback"].waterfall[-1]

    assert (change.left, change.reasons) == (1, {"unchanged": 1})
