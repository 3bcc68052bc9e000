"""The gate on a real ledger: keys, refreshing, the published state matrix."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from segctl.model.consent import ConsentEvent, Decision, Purpose, Use
from segctl.model.destinations import Destination
from segctl.model.errors import IntegrityError
from segctl.model.project import Definitions, Project
from segctl.operations.consent.keys import keyring_for_writing, rotate
from segctl.operations.consent.matrix import matrix
from segctl.operations.gate import Gate
from segctl.operations.session import Session
from segctl.state import consents
from segctl.state.workspace import Workspace

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "consent" / "matrix.txt"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
USE = Use("news", "email")
ALLOWED = Decision(None, None)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    purposes = (Purpose("news", channels=("email",)), Purpose("service", bases=("contract",), channels=("email",)))
    project = Project(str(tmp_path), "shop", purposes=purposes)
    destinations = {"mailer": Destination("mailer", "file", purposes=("news",))}
    with Workspace.open(tmp_path / "ws", create=True) as workspace:
        yield Session(Definitions(project, {}, {}, destinations), workspace, None)


def say(session: Session, who: str, action: str, *, at: datetime = NOW - DAY, **more: object) -> None:
    ring = keyring_for_writing(session.project, session.workspace, now=NOW)
    pair = ring.newest_pair("email", who)
    assert pair is not None
    values = {"purpose": "news", "channel": "email", "proof_ref": "form", "is_confirmed": True, **more}
    if action not in ("grant", "request", "confirm"):
        values |= {"purpose": None, "channel": None}
    name = f"{who} {action} {at} {len(values)} {consents.head(session.workspace)}"
    event = ConsentEvent(name, at, "email", *pair, ring.newest[0], action, **values)
    consents.append(session.workspace, [event], recorded=max(at, NOW))


def asked(gate: Gate, who: str, use: Use = USE) -> Decision:
    return gate.decide([[gate.token("email", who)]], use)[0]


def test_the_published_state_matrix(golden: object) -> None:
    lines = [
        f"{cell.state} | {cell.use.purpose or '-'} {cell.use.channel} {cell.use.destination} | "
        f"{cell.decision.reason or 'allowed'}"
        for cell in matrix()
    ]

    golden.compare("\n".join(lines) + "\n", GOLDEN)


def test_every_consent_code_but_the_callers_own_is_in_the_matrix() -> None:
    from segctl.model.consent import CONSENT_CODES, SUPPRESSION_CODES

    seen = {code for cell in matrix() for code in (cell.decision.consent, cell.decision.suppression)}

    assert set(CONSENT_CODES) - seen == {"wrong_channel", "no_lia", "ads_basis", "no_point", "malformed", "tcf_denied",
                                         "merged"}  # fmt: skip
    assert set(SUPPRESSION_CODES) - seen == {"merged"}


def test_nothing_on_record_is_denied(session: Session) -> None:
    gate = Gate.open(session, now=NOW)

    assert asked(gate, "anna@post.example") == Decision("unknown", None)
    assert gate.decide([[None], []], USE) == [Decision("malformed", None), Decision("no_point", None)]
    assert asked(gate, "anna@post.example", Use("service", "email")) == ALLOWED


def test_a_destination_must_be_bound_to_the_purpose(session: Session) -> None:
    say(session, "anna@post.example", "grant")
    gate = Gate.open(session, now=NOW)

    assert asked(gate, "anna@post.example", Use("news", "email", "mailer")) == ALLOWED
    assert asked(gate, "anna@post.example", Use("service", "email", "mailer")).reason == "not_bound"
    assert asked(gate, "anna@post.example", Use("news", "email", "nowhere")).reason == "not_bound"


def test_of_several_contact_points_the_least_permissive_counts(session: Session) -> None:
    say(session, "anna@post.example", "grant")
    gate = Gate.open(session, now=NOW)
    good, other = gate.token("email", "anna@post.example"), gate.token("email", "old@post.example")

    assert gate.decide([[good, other], [other, good], [good, None], [good, good]], USE) == [
        Decision("merged", None), Decision("unknown", None), Decision("merged", None), ALLOWED,
    ]  # fmt: skip


def test_a_withdrawal_that_comes_later_counts_after_a_refresh(session: Session) -> None:
    say(session, "anna@post.example", "grant")
    say(session, "bert@post.example", "grant")
    gate = Gate.open(session, now=NOW)
    points = [[gate.token("email", who)] for who in ("anna@post.example", "bert@post.example")]
    say(session, "anna+shop@post.example", "withdraw", at=NOW + timedelta(minutes=5))

    assert gate.decide(points, USE) == [ALLOWED, ALLOWED]
    changed = gate.refresh()

    assert gate.concerned(points, changed) == [0]
    assert gate.decide(points, USE) == [Decision("withdrawn", None), ALLOWED]
    assert gate.refresh() == frozenset()


def test_a_command_that_began_before_a_withdrawal_heeds_it(session: Session) -> None:
    say(session, "anna@post.example", "grant")
    say(session, "anna@post.example", "withdraw", at=NOW + timedelta(seconds=5))

    assert asked(Gate.open(session, now=NOW), "anna@post.example").reason == "withdrawn"
    assert asked(Gate.open(session, now=NOW, is_past=True), "anna@post.example") == ALLOWED


def test_decisions_of_a_few_are_those_of_all(session: Session) -> None:
    for who, action in (("anna", "grant"), ("bert", "suppress"), ("carla", "grant"), ("carla+x", "object_marketing")):
        say(session, f"{who}@post.example", action)
    every = Gate.open(session, now=NOW)
    people = ["anna@post.example", "bert@post.example", "carla@post.example", "d@post.example"]
    points = [every.token("email", who) for who in people]
    few = Gate.open(session, now=NOW, only=[point for point in points if point is not None])

    assert few.decide([[p] for p in points], USE) == every.decide([[p] for p in points], USE)
    assert [d.reason for d in few.decide([[p] for p in points], USE)] == [None, "suppressed", "objected_marketing",
                                                                         "unknown"]  # fmt: skip


def test_after_a_new_key_old_rows_still_count(session: Session) -> None:
    say(session, "anna@post.example", "grant")
    say(session, "bert@post.example", "suppress")
    before = Gate.open(session, now=NOW).token("email", "anna@post.example")
    rotate(session.project, session.workspace, now=NOW)
    say(session, "carla@post.example", "grant")
    say(session, "anna@post.example", "withdraw", at=NOW)
    gate = Gate.open(session, now=NOW)

    assert asked(gate, "anna@post.example").reason == "withdrawn"
    assert asked(gate, "bert@post.example").suppression == "suppressed"
    assert asked(gate, "carla@post.example") == ALLOWED
    assert gate.decide([[before]], USE)[0].reason == "malformed"


def test_a_lost_key_stops_everything(session: Session) -> None:
    say(session, "anna@post.example", "object_marketing")
    key = session.workspace.folder / "consent.key"
    content = key.read_text()
    assert key.stat().st_mode & 0o777 == 0o600

    key.unlink()
    with pytest.raises(IntegrityError, match="is not there"):
        Gate.open(session, now=NOW)
    assert not key.exists()
    key.write_text("0" * 64 + "\n")
    with pytest.raises(IntegrityError, match="is not there"):
        Gate.open(session, now=NOW)
    key.write_text(content[:-9])
    with pytest.raises(IntegrityError, match="damaged"):
        Gate.open(session, now=NOW)
    key.write_text(content)
    assert asked(Gate.open(session, now=NOW), "anna@post.example").reason == "objected_marketing"


def test_objectors_are_found_by_any_of_their_points(session: Session) -> None:
    say(session, "anna@post.example", "object_profiling")
    say(session, "bert@post.example", "restrict")
    say(session, "carla@post.example", "object_marketing")
    say(session, "fritz@post.example", "object_marketing")
    say(session, "fritz@post.example", "object_profiling")
    gate = Gate.open(session, now=NOW)
    a, b, c, d, f = (gate.token("email", f"{who}@post.example") for who in ("anna", "bert", "carla", "dora", "fritz"))

    asked = [[a], [b], [c], [d], [d, a], [], [f], [None]]
    assert gate.objecting(asked) == [True, True, False, False, True, False, True, False]
    assert len(gate.objectors()) == 3


def test_phone_numbers_are_one_however_they_are_written(tmp_path: Path, session: Session) -> None:
    gate = Gate.open(session, now=NOW)

    assert gate.token("phone", "+49 30 1234567") == gate.token("phone", "0049301234567") is not None
    assert gate.token("phone", "030 1234567") is None
    assert gate.tokens("phone", ["030 1234567"], countries=["DE"]) == [gate.token("phone", "+49301234567")]
