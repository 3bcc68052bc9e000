"""SendGrid: the suite against a stand-in with jobs, who failed found in reports, removals that may come too early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import PLANTED, ROWS, SECRET, VARIABLE, HttpSuite, World, batch, finished
from fakes.sendgrid import SendGrid as Fake
from fakes.server import Fault, Reply, serving

from segctl.connectors.destinations import jobs, sendgrid
from segctl.connectors.destinations.base import BatchRefusedError, Row, UnknownOutcomeError
from segctl.connectors.destinations.sendgrid import SendGrid
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.model.secrets import forget

Connecting = Callable[..., SendGrid]


class TestSendGrid(HttpSuite):
    kind: ClassVar[str] = "sendgrid"
    fake: Fake

    def make_fake(self) -> Fake:
        return Fake(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"api_key": SECRET, "base_url": self.url}

    def people(self, audience: str) -> set[str]:
        return {self.fake.contacts[number]["email"] for name, number in self.fake.inside if name == audience}


@pytest.fixture
def service() -> Iterator[tuple[Fake, str]]:
    """A stand-in and its address."""
    fake = Fake(PLANTED)
    with serving(fake) as url:
        fake.url = url
        yield fake, url
    assert fake.wrong == []


@pytest.fixture
def connect(service: tuple[Fake, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connecting]:
    """Makes a connector with some options."""
    monkeypatch.setenv(VARIABLE, PLANTED)
    made: list[SendGrid] = []

    def make(*, hosts: tuple[str, ...] = ("127.0.0.1",), **more: Any) -> SendGrid:
        told = {"api_key": SECRET, "base_url": service[1], **more}
        declared = Destination("news", "sendgrid", options=told, allowed_hosts=hosts)
        made.append(SendGrid(declared, World(tmp_path).around()))
        return made[-1]

    yield make
    for one in made:
        one.close()
    forget()


def test_an_import_is_exactly_this(connect: Connecting, service: tuple[Fake, str]) -> None:
    row = Row("k", {"external_id": "C-1", "email": "A@example.com", "phone": "+4915112345678"},
              {"first_name": "Anna", "w1_T": 7, "w2_D": None, "city": None})  # fmt: skip
    mail = connect()
    audience = mail.audience("winback", "winback")
    finished(mail, batch((row,), audience=audience))
    finished(mail, batch((row,), "update", audience=audience))

    added, updated = (asked.json for asked in service[0].asked if asked.method == "PUT")

    told = {
        "external_id": "C-1",
        "email": "A@example.com",
        "phone_number_id": "+4915112345678",
        "first_name": "Anna",
        "custom_fields": {"w1_T": 7},
    }
    assert added == {"list_ids": [audience], "contacts": [told]}
    assert updated == {"contacts": [told]}


def test_who_failed_is_found_in_the_report_even_by_another_process(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    fake = service[0]
    fake.refused, fake.ends_as = {"b@example.com", "C-4"}, "errored"
    rows = (Row("none", {"mobile": "x"}), *(Row(x, {"email": f"{x}@example.com"}) for x in "abc"),
            Row("d", {"external_id": "C-4"}))  # fmt: skip
    first = connect()
    audience = first.audience("winback", "winback")
    sent = first.send(batch(rows, audience=audience))
    assert sent.job is not None

    later = connect()
    later.poll(sent.job)
    done = later.poll(sent.job)

    assert {name: trouble.code for name, trouble in done.troubles.items()} == {
        "#0": "left_out",
        "#2": "import_error",
        "#4": "import_error",
    }
    assert done.job is None
    assert done.counts == {"created": 2, "updated": 0, "errored": 2}
    assert "example.com" not in sent.job


@pytest.mark.parametrize("reason", ["it cannot be read", "another host"])
def test_without_the_report_nobody_of_the_job_counts_as_taken(
    connect: Connecting, service: tuple[Fake, str], reason: str
) -> None:
    fake = service[0]
    fake.refused, fake.tells = {ROWS[0].identifiers["email"]}, reason != "it cannot be read"
    if reason == "another host":
        fake.url = "https://reports.attacker.example"
    mail = connect()

    sent = finished(mail, batch(ROWS, audience=mail.audience("winback", "winback")))

    assert {trouble.state for trouble in sent.troubles.values()} == {"unknown"}
    assert sent.troubles.keys() == {row.key for row in ROWS}


@pytest.mark.parametrize("word", ["failed", "errored"])
def test_a_job_that_failed_took_nobody(connect: Connecting, service: tuple[Fake, str], word: str) -> None:
    service[0].ends_as = word
    mail = connect()

    sent = finished(mail, batch(ROWS, audience=mail.audience("winback", "winback")))

    assert {(trouble.state, trouble.code) for trouble in sent.troubles.values()} == {("rejected", word)}


def test_an_answer_without_a_job_is_an_unknown_outcome(
    connect: Connecting, service: tuple[Fake, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = connect()
    audience = mail.audience("winback", "winback")
    monkeypatch.setattr(Fake, "_imported", lambda *_: Reply(202, {}))

    with pytest.raises(UnknownOutcomeError):
        mail.send(batch(ROWS, audience=audience))


def test_who_leaves_is_looked_up_and_stays_a_contact(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake, mail = service[0], connect()
    audience = mail.audience("winback", "winback")
    rows = (Row("e", {"email": "Anna@example.com"}), Row("x", {"external_id": "C-9"}), Row("p", {"phone": "+49301234"}))
    finished(mail, batch(rows, audience=audience))
    other = mail.audience("other", "other")
    finished(mail, batch(rows, audience=other))

    sent = mail.send(batch(rows, "remove", audience=audience))

    assert sent.troubles == {}
    assert {name for name, _ in fake.inside} == {other}
    assert len(fake.contacts) == 3
    deleted = [asked for asked in fake.asked if asked.method == "DELETE"]
    assert [asked.path for asked in deleted] == [f"/v3/marketing/lists/{audience}/contacts"]
    assert [asked.path.rpartition("search/")[2] for asked in fake.asked if "/search/" in asked.path] == [
        "emails",
        "identifiers/phone_number_id",
        "identifiers/external_id",
    ]


def test_who_is_not_found_yet_is_not_counted_as_removed(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake, mail = service[0], connect()
    audience = mail.audience("winback", "winback")
    finished(mail, batch(ROWS, audience=audience))
    fake.lag = 1

    early = mail.send(batch(ROWS, "remove", audience=audience))
    late = mail.send(batch(ROWS, "remove", audience=audience))

    assert {(trouble.state, trouble.code) for trouble in early.troubles.values()} == {("rejected", "not_found")}
    assert late.troubles == {}
    assert fake.inside == set()


def test_many_leave_a_hundred_at_a_time(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake, mail = service[0], connect()
    audience = mail.audience("winback", "winback")
    rows = tuple(Row(str(n), {"email": f"somebody.{n}@example.com"}) for n in range(250))
    finished(mail, batch(rows, audience=audience))

    sent = mail.send(batch(rows, "remove", audience=audience))

    assert sent.troubles == {}
    assert fake.inside == set()
    assert [len(asked.query["contact_ids"][0].split(",")) for asked in fake.asked if asked.method == "DELETE"] == [
        100,
        100,
        50,
    ]
    assert max(len(asked.url) for asked in fake.asked) < 8000


@pytest.mark.parametrize(("fault", "state"), [("too_many", "rejected"), ("lost_after", "unknown")])
def test_who_was_taken_off_stays_so_when_a_later_call_fails(
    connect: Connecting, service: tuple[Fake, str], fault: Fault, state: str
) -> None:
    fake, mail = service[0], connect()
    audience = mail.audience("winback", "winback")
    rows = tuple(Row(str(n), {"email": f"somebody.{n}@example.com"}) for n in range(250))
    finished(mail, batch(rows, audience=audience))
    deletions = iter(range(3))
    fake.can_fail = lambda asked: asked.method == "DELETE" and next(deletions) == 1
    fake.fails_next(fault)

    sent = mail.send(batch(rows, "remove", audience=audience))

    found = {n: sent.troubles[str(n)].state if str(n) in sent.troubles else "done" for n in (0, 99, 100, 199, 200, 249)}
    assert list(found.values()) == ["done", "done", state, state, "rejected", "rejected"]


def test_a_call_of_more_than_six_megabytes_is_halved_before_it_is_sent(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    rows = tuple(Row(str(n), {"email": f"{n}@example.com"}, {"city": "x" * 2000}) for n in range(3100))

    with pytest.raises(BatchRefusedError) as caught:
        connect().send(batch(rows, audience="x"))

    assert caught.value.is_size
    assert service[0].asked == []


def test_lists_are_found_over_pages_without_following_links(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake, mail = service[0], connect()
    ids = [mail.audience("s", f"list {n}") for n in range(5)]

    assert [mail.audience("s", f"list {n}") for n in range(5)] == ids
    assert mail.audience("s", ids[4]) == ids[4]
    assert {asked.headers["host"].partition(":")[0] for asked in fake.asked} == {"127.0.0.1"}
    with pytest.raises(UsageError) as unknown:
        mail.audience("s", "00000000-0000-4000-8000-000000000000")
    with pytest.raises(UsageError) as long:
        mail.audience("s", "x" * 101)
    with pytest.raises(UsageError) as forbidden:
        connect(create_audiences=False).audience("s", "never")
    assert [one.value.code for one in (unknown, long, forbidden)] == ["SEG936", "SEG922", "SEG921"]


def test_the_region_chooses_the_host(tmp_path: Path) -> None:
    found = {
        region: SendGrid(
            Destination("s", "sendgrid", options={"api_key": SECRET, "region": region}), World(tmp_path).around()
        ).client.service.base_url
        for region in ("global", "eu")
    }

    assert found == {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}


@pytest.mark.parametrize(
    "report",
    ['email,error\n"B@example.com","b"\n', '[{"email": "b@example.com", "reason": "x"}]', "b@example.com\tbad\tline"],
)
def test_a_report_is_read_whatever_its_form(report: str) -> None:
    marks = [sendgrid.mark(f"{x}@example.com") for x in "abc"]

    assert sendgrid.marked(report, marks) == {1}


def test_a_job_keeps_all_that_is_needed_later() -> None:
    job = jobs.Job((("x", 2), ("y", 1)), {1: "why"}, "a", ("12345678", "abcdefgh", "00000000"))

    assert jobs.Job.of(str(job)) == job
    assert job.places() == [[0, 2], [3]]
