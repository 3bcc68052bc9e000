"""Files of consents: nothing lost, nothing twice, denials first."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from segctl.model.consent import Purpose, Use
from segctl.model.errors import DataError, UsageError
from segctl.model.project import Definitions, Project
from segctl.operations.consent.importing import Imported, import_file
from segctl.operations.consent.keys import rotate
from segctl.operations.gate import Gate
from segctl.operations.session import Session
from segctl.operations.suppress import listed, shaper
from segctl.state import consents
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEAD = "email,at,action,purpose,channel,proof_ref\n"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    purposes = (
        Purpose("news", channels=("email", "sms")), Purpose("club", channels=("email",)),
        Purpose("ads", channels=("ads",), signals=("ad_user_data",), tcf_vendor=755, tcf_purposes=(1, 3)),
    )  # fmt: skip
    project = Project(str(tmp_path), "shop", purposes=purposes, timezone="Europe/Berlin")
    with Workspace.open(tmp_path / "ws", create=True) as workspace:
        yield Session(Definitions(project, {}, {}), workspace, None)


def take(session: Session, content: str | bytes, **more: Any) -> Imported:
    data = content.encode() if isinstance(content, str) else content
    values = {"mapped": {}, "fixed": {}, "source": "list", "report": None, "now": NOW, **more}
    return import_file(session, None, data, **values)


def reason(session: Session, who: str, purpose: str = "news", channel: str = "email") -> str | None:
    gate = Gate.open(session, now=NOW)
    return gate.decide([[gate.token("email", who)]], Use(purpose, channel))[0].reason


def test_effects_are_counted(session: Session) -> None:
    done = take(
        session,
        HEAD + "a@x.example,2026-11-01T10:00:00,request,news,email,f1\n"
        "a@x.example,2026-11-01T10:01:00,confirm,news,email,f1\n"
        "b@x.example,2026-11-01,opt_in,news,email,f2\nc@x.example,2026-11-01,unsubscribed,,,\n"
        "d@x.example,2026-11-01,grant,news,sms,\n",
    )  # fmt: skip

    assert (done.rows, done.added) == (5, 4)
    assert dict(done.bad) == {"no contact point for its channel": 1}
    assert dict(done.effects) == {"unconfirmed": 2, "consent": 1, "denial": 1}
    assert [reason(session, f"{who}@x.example") for who in "abcd"] == [None, "lapsed", "withdrawn", "unknown"]


def test_the_same_file_twice_changes_nothing(session: Session) -> None:
    content = HEAD + "a@x.example,2026-11-01,grant,news,email,f\nb@x.example,nonsense,withdraw,,,\n"

    first, second = take(session, content), take(session, content, source="another name")
    rotate(session.project, session.workspace, now=NOW)
    third = take(session, content)

    assert [one.added for one in (first, second, third)] == [2, 0, 0]
    assert (first.undated, second.effects["known"], third.effects["known"]) == (1, 2, 2)


def test_a_denial_is_never_refused_for_its_time(session: Session) -> None:
    take(session, HEAD + "a@x.example,2026-11-01,grant,club,email,f\na@x.example,2031-01-01,widerruf,,,\n"
                         "b@x.example,,widerspruch,,,\nc@x.example,,grant,club,email,f\n")  # fmt: skip

    assert reason(session, "a@x.example", "club") == "withdrawn"
    assert reason(session, "b@x.example", "club") == "objected_marketing"
    assert reason(session, "c@x.example", "club") == "unknown"


@pytest.mark.parametrize(("day", "iso"), [("2026-11-20",) * 2, ("20.11.2026", "2026-11-20"), ("2026-11-22",) * 2])
def test_a_denial_of_a_day_counts_until_its_end(session: Session, day: str, iso: str) -> None:
    content = HEAD + f"a@x.example,{iso}T10:00:00,grant,news,email,f\na@x.example,{day},withdraw,news,email,\n"

    take(session, content)

    assert reason(session, "a@x.example") == "withdrawn"
    assert take(session, content, now=NOW.replace(hour=13)).added == 0
    later = NOW.replace(hour=14)
    take(session, HEAD + f"a@x.example,{later.isoformat()},grant,news,email,g\n", now=later)
    gate = Gate.open(session, now=later)
    assert gate.decide([[gate.token("email", "a@x.example")]], Use("news", "email"))[0].reason == "pending"


def test_refused_rows_stand_whole_in_a_report(session: Session) -> None:
    content = (
        "E-Mail;Datum;Status;Zweck;Notiz\nbroken;2026-11-01;ja;club;größe\na@x.example;2026-11-01;ja;clubb;\nx;y\n"
    )
    done = take(session, content.encode("cp1252"))

    assert done.report is not None
    assert done.report.read_text("utf-8").splitlines() == [
        "line,reason_refused,E-Mail,Datum,Status,Zweck,Notiz",
        "2,the contact point in `email` is malformed,broken,2026-11-01,ja,club,größe",
        "3,the purpose is not declared,a@x.example,2026-11-01,ja,clubb,",
        '4,"it has 2 cells, the header 5",x;y',
    ]
    assert done.report.stat().st_mode & 0o077 == 0
    assert done.unread == ("Notiz",)


def test_no_list_lifts_an_objection_or_a_suppression(session: Session) -> None:
    take(session, HEAD + "a@x.example,2026-01-01,suppress,,,\nb@x.example,2026-01-01,object_marketing,,,\n")
    done = take(
        session,
        "email,at,action,purpose,channel,proof_ref,is_confirmed\n"
        + "".join(f"{who}@x.example,2026-11-0{day},{what},club,email,f,yes\n" for who in ("a", "b", "B+new")
                  for day, what in ((1, "request"), (2, "confirm"), (3, "grant"), (4, "lift"), (5, "unrestrict"))),
    )  # fmt: skip

    assert done.bad.total() == 6
    assert [reason(session, f"{who}@x.example", "club") for who in ("a", "A+z", "b", "b+new")] == [
        "suppressed", "suppressed", "objected_marketing", "objected_marketing",
    ]  # fmt: skip


def test_json_lines_and_gzip_and_a_bom_are_read(session: Session) -> None:
    row = {"email": "a@x.example", "at": "2026-11-01T10:00:00+01:00", "action": "grant", "purpose": "club",
           "proof_ref": "f", "is_confirmed": True, "extra": None}  # fmt: skip
    ndjson = json.dumps(row) + "\n\nno json\n[1]\n"

    done = take(session, gzip.compress(ndjson.encode()))
    bom = take(session, "\ufeff" + HEAD + "b@x.example,2026-11-01,grant,club,email,f\n")

    assert (done.added, done.bad.total(), bom.added) == (1, 2, 1)
    assert reason(session, "a@x.example", "club") is None


def test_strings_of_consent_platforms_decide(session: Session) -> None:
    tcf = "CQbToWAQbToWAAVADCENB4FoALAAAEIAAACYHCQBAAAgAFAXmA4QAAiAAAAA.IF5wBAAAgAHAAUAvMAAA"
    rows = [
        ("a", {"tcf": tcf, "ad_user_data": "granted"}), ("b", {"tcf": tcf[:60], "ad_user_data": "granted"}),
        ("c", {"ad_user_data": "granted", "proof_ref": "x"}), ("d", {"ad_user_data": "denied"}),
        ("e", {"gcd": "13r3r3r3r5", "proof_ref": "x"}), ("f", {"gcd": "13r3r3", "proof_ref": "x"}),
        ("g", {"tcf": tcf}),
    ]  # fmt: skip
    lines = [{"email": f"{who}@x.example", "at": "2026-11-01", "purpose": "ads", **more} for who, more in rows]

    done = take(session, "".join(json.dumps(line) + "\n" for line in lines))

    assert done.bad.total() == 0
    assert [reason(session, f"{who}@x.example", "ads", "ads") for who, _ in rows] == [
        None, "tcf_malformed", None, "denied", None, "denied", "signals",
    ]  # fmt: skip


def test_an_event_id_for_something_else_is_refused_not_lost(session: Session) -> None:
    head = "event_id,email,at,action,purpose,channel,proof_ref\n"
    take(session, head + "1,a@x.example,2026-11-01,grant,club,email,f\n")
    done = take(session, head + "1,a@x.example,2026-11-02,withdraw,,,\n1,a@x.example,2026-11-01,grant,club,email,f\n")

    assert dict(done.bad) == {"its `event_id` is on record with other content": 1}
    assert done.effects["known"] == 1


def test_columns_and_values_are_named_by_options(session: Session) -> None:
    content = "Adresse,Wann\na@x.example,01.11.2026 10:30\n"
    fixed = {"action": "grant", "purpose": "club", "proof_ref": "form", "is_confirmed": "yes"}

    with pytest.raises(DataError, match="contact point"):
        take(session, content)
    assert take(session, content, mapped={"Adresse": "email", "Wann": "at"}, fixed=fixed).added == 1
    assert reason(session, "a@x.example", "club") is None
    with pytest.raises(UsageError, match="no column"):
        take(session, content, mapped={"Adresse": "mial"})
    with pytest.raises(DataError, match="empty"):
        take(session, "")


def test_a_dry_run_writes_nothing(session: Session) -> None:
    done = take(session, HEAD + "a@x.example,2026-11-01,grant,news,email,f\n" * 2 + "b,c\n", dry_run=True)

    assert (done.added, done.effects["known"], done.report) == (1, 1, None)
    assert consents.head(session.workspace) == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("Email Address,CLEAN_TIME\na@x.example,2026-10-01 10:00:00\n", "bounced", id="Mailchimp cleaned"),
        pytest.param("Email Address,UNSUB_TIME,UNSUB_REASON\na@x.example,2026-10-01 10:00:00,NORMAL\n", "withdrawn",
                     id="Mailchimp unsubscribed"),
        pytest.param("status,reason,email,created\n5.1.1,550 no such user,a@x.example,1790000000\n", "bounced",
                     id="SendGrid bounces"),
        pytest.param('{"email":"a@x.example","event":"spamreport","timestamp":1790000000}\n', "complained",
                     id="SendGrid events"),
        pytest.param("Type,Email,BouncedAt\nHardBounce,a@x.example,2026-10-01T10:00:00Z\n", "bounced", id="Postmark"),
        pytest.param("Type,Email,BouncedAt\nSoftBounce,a@x.example,2026-11-20T10:00:00Z\n", "unknown", id="one soft"),
        pytest.param("Email,Suppression Reason\na@x.example,Manually suppressed\n", "suppressed", id="Klaviyo"),
        pytest.param("email\na@x.example\n", "suppressed", id="a bare list"),
    ],
)  # fmt: skip
def test_exports_of_mailing_services(session: Session, content: str, expected: str) -> None:
    done = take(session, content, shape=shaper(None))

    assert (done.added, done.bad.total()) == (1, 0)
    assert reason(session, "a@x.example", "club") == expected


def test_soft_bounces_add_up(session: Session) -> None:
    for day in (18, 19, 20):
        take(session, f"Type,Email,BouncedAt\nSoftBounce,a@x.example,2026-11-{day}\n", shape=shaper(None))

    assert reason(session, "a@x.example", "club") == "bounced"
    assert [(one.action, one.channel, one.rows) for one in listed(session)] == [("bounce (soft)", "email", 3)]


def test_denials_are_written_before_what_is_given(session: Session) -> None:
    take(session, HEAD + "a@x.example,2026-11-01,grant,club,email,f\na@x.example,2026-11-02,withdraw,,,\n")

    rows = session.workspace.query("SELECT action FROM consent_events ORDER BY seq")
    assert [row[0] for row in rows] == ["withdraw", "grant"]
