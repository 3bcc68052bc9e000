"""What every connector of a destination must do, whatever it speaks to: one class of tests, inherited by each kind.

A kind's test file writes a stand-in of the service (`fakes/`) and a class ``Test…(HttpSuite)`` that says how the
connector reaches it; everything below is then asked of it. What is special to a vendor stands beside it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fakes.server import RETRY_AFTER_S, Asked, Fake, Fault, serving

from segctl.connectors.destinations import abilities, kind
from segctl.connectors.destinations.base import (
    Action,
    Around,
    Batch,
    BatchRefusedError,
    Connector,
    NotNowError,
    Recorded,
    Row,
    Sent,
    UnknownOutcomeError,
    by_key,
)
from segctl.model.destinations import Destination
from segctl.model.errors import SegctlError
from segctl.model.secrets import MASK, Secret, forget, masked
from segctl.operations.push.moved import is_there

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
PLANTED = "sk_planted_0123456789abcdef"
"""Stands behind every secret of an option; nobody may ever see it."""
VARIABLE = "SEGCTL_TEST_SECRET"
SECRET = Secret("env", (VARIABLE,))
ROWS = tuple(
    Row(letter * 32, {"email": email, "phone": phone, "external_id": own}, {"first_name": first})
    for letter, email, phone, own, first in (
        ("a", "anna@example.com", "+4915112345678", "C-1", "Anna"),
        ("b", "jörg@bücher.example", "+43660123456", "C-2", "Jörg"),
        ("c", "o'neil+a@example.org", "+33612345678", "C-3", ""),
    )
)
PERSONAL = ("anna@example", "jörg", "j\\u00f6rg", "o'neil", "15112345678", "Anna")
"""What of `ROWS` may never stand in a message."""


@dataclass
class World:
    """What a connector under test is told, and what it did.

    Attributes:
        recorded: Effects of a dry run.
        slept: Seconds that it waited.
        notes: What it told.
    """

    root: Path
    recorded: list[Recorded] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def around(self, *, dry: bool = False) -> Around:
        """The world as it is told; sleeping takes no time."""
        return Around(
            "tested",
            self.root,
            NOW,
            record=self.recorded.append if dry else None,
            note=self.notes.append,
            sleep=self.slept.append,
            chance=lambda: 0.5,
        )


def batch(rows: tuple[Row, ...], action: Action = "add", *, audience: str, id: str = "push-1-batch-1") -> Batch:  # noqa: A002 - its name there
    """A batch of the audience `winback`."""
    return Batch(
        id,
        "winback",
        audience,
        action,
        rows,
        NOW,
        purpose="newsletter",
        granted=frozenset({"newsletter"}),
        context={"push": "push-1"},
    )


def finished(connector: Connector, told: Batch, *, most: int = 50) -> Sent:
    """What became of a batch, jobs polled to their end."""
    sent = connector.send(told)
    for _ in range(most):
        if sent.job is None:
            return by_key(sent, [row.key for row in told.rows])
        sent = connector.poll(sent.job)
    raise AssertionError(f"the job {sent.job} does not end")


class DestinationSuite(ABC):
    """Of every kind, with HTTP or without.

    Attributes:
        kind: Its name.
        rows: People that every test tells of; a kind with other identifiers has rows of its own.
        audience_name: What is asked for with `Connector.audience`.
        destination: Further attributes of the declaration, such as ``{"channel": "ads"}``.
    """

    kind: ClassVar[str]
    rows: ClassVar[tuple[Row, ...]] = ROWS
    audience_name: ClassVar[str] = "winback"
    destination: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """The declaration's options; secrets are `SECRET`."""

    @abstractmethod
    def people(self, audience: str) -> set[str]:
        """Who is in an audience there, each as the first value of the connector's `seen_as`."""

    @abstractmethod
    def was_told(self) -> int:
        """How much the service or file was told; the same number means that nothing was."""

    @pytest.fixture(autouse=True)
    def _world(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv(VARIABLE, PLANTED)
        self.world = World(tmp_path)
        yield
        forget()

    def declared(self) -> Destination:
        """The destination as bound."""
        return replace(
            Destination("tested", self.kind, purposes=("newsletter",), options=self.options()), **self.destination
        )

    @contextmanager
    def connected(self, *, dry: bool = False) -> Iterator[Connector]:
        """The connector, closed at the end."""
        with closing(kind(self.kind).connect(self.declared(), self.world.around(dry=dry))) as connector:
            yield connector

    def named(self, connector: Connector, rows: tuple[Row, ...] | None = None) -> set[str]:
        """Rows as `people` shows them."""
        return {next(iter(connector.seen_as(row).values())) for row in rows or self.rows}

    def test_options_and_abilities_are_whole(self) -> None:
        module, can = kind(self.kind), abilities(self.declared())
        names = [option.name for option in module.OPTIONS]

        assert len(set(names)) == len(names)
        assert all(option.help and not option.help.endswith(".") for option in module.OPTIONS)
        assert all(bool(option.choices) == (option.type == "choice") for option in module.OPTIONS)
        assert all(option.default is None or not option.required for option in module.OPTIONS)
        assert self.options().keys() <= set(names)
        assert can.batch_rows >= 1
        assert can.parallel >= 1
        assert can.recipient in ("esp", "ads", "crm", "file", "webhook", "warehouse")
        assert can.modes
        assert set(self.rows[0].identifiers) & set(can.identifiers)

    def test_people_enter_and_leave(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            entered = finished(connector, batch(self.rows, audience=audience))
            there = set(self.people(audience))
            known = [replace(row, known_as=entered.known_as.get(row.key)) for row in self.rows]
            left = finished(connector, batch((known[0],), "remove", audience=audience, id="push-1-batch-2"))

            assert entered.troubles == {}
            assert there == self.named(connector)
            assert left.troubles == {}
            if abilities(self.declared()).removal != "none":
                assert self.people(audience) == self.named(connector, self.rows[1:])

    def test_a_batch_may_come_again(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            for _ in range(2):
                finished(connector, batch(self.rows, audience=audience))

            assert self.people(audience) == self.named(connector)

    def test_an_update_puts_nobody_in(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            entered = finished(connector, batch(self.rows[:2], audience=audience))
            known = tuple(replace(row, known_as=entered.known_as.get(row.key)) for row in self.rows[:2])

            sent = finished(connector, batch(known, "update", audience=audience, id="push-1-batch-2"))

            assert sent.troubles == {}
            assert self.people(audience) == self.named(connector, self.rows[:2])

    def test_who_is_there_is_read_back(self) -> None:
        if not abilities(self.declared()).reads_back:
            pytest.skip("the service cannot be asked")
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            finished(connector, batch(self.rows, audience=audience))

            found = list(connector.members(audience))
            remote = {one.id: one for one in connector.audiences()}

            seen = [dict(connector.seen_as(row)) for row in self.rows]
            assert len(found) == len(self.rows)
            for member in found:
                assert any(
                    all(mine.get(name) == value for name, value in member.identifiers.items() if name in mine)
                    and set(mine) & set(member.identifiers)
                    for mine in seen
                )
            assert audience in remote
            assert remote[audience].size in (None, len(self.rows))

    def test_a_list_that_no_declaration_names_any_more_is_still_found(self) -> None:
        can = abilities(self.declared())
        if not can.reads_back:
            pytest.skip("the service cannot be asked")
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            finished(connector, batch(self.rows, audience=audience))
        renamed = replace(self.declared(), audiences=())
        with closing(kind(self.kind).connect(renamed, self.world.around())) as connector:
            assert [is_there(connector, one, can) for one in (audience, f"{audience}0")] == [True, False]

    def test_a_dry_run_does_nothing_and_tells_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = self.was_told()
        monkeypatch.delenv(VARIABLE)
        with self.connected(dry=True) as connector:
            audience = connector.audience("winback", self.audience_name)
            for number, action in enumerate(("add", "update", "remove")):
                finished(connector, batch(self.rows, action, audience=audience, id=f"push-1-batch-{number}"))

        assert self.was_told() == before
        assert sum(one.rows for one in self.world.recorded) >= 2 * len(self.rows)
        assert PLANTED not in repr(self.world.recorded)

    def test_it_is_tried_without_telling_of_anybody(self) -> None:
        with self.connected() as connector:
            probes = connector.check()

        assert [probe for probe in probes if probe.status == "problem"] == []
        assert probes
        assert PLANTED not in repr(probes)


class HttpSuite(DestinationSuite):
    """Of kinds that speak HTTP, against a stand-in that fails in every way.

    Attributes:
        asks_for_token: A token is asked for first, and asked for again when it is refused.
        hosts: Named under `allowed_hosts`.
        volatile: Headers whose values change from run to run.
        differs_dry: The first body of a batch holds what only an answer can tell.
    """

    asks_for_token: ClassVar[bool] = False
    hosts: ClassVar[tuple[str, ...]] = ("127.0.0.1",)
    volatile: ClassVar[tuple[str, ...]] = ()
    differs_dry: ClassVar[bool] = False
    fake: Fake
    url: str

    @abstractmethod
    def make_fake(self) -> Fake:
        """A stand-in of the service without anybody in it."""

    @pytest.fixture(autouse=True)
    def _served(self, _world: None) -> Iterator[None]:
        self.fake = self.make_fake()
        with serving(self.fake) as self.url:
            yield
        assert self.fake.wrong == []

    def declared(self) -> Destination:
        """The destination as bound, allowed to speak to this machine."""
        return replace(super().declared(), allowed_hosts=self.hosts)

    def was_told(self) -> int:
        """Requests so far."""
        return len(self.fake.asked)

    def fails(self, *faults: Fault, action: Action = "add") -> BaseException:
        """What comes of a batch when the service fails so."""
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            if action != "add":
                finished(connector, batch(self.rows, audience=audience))
            self.fake.fails_next(*faults)
            with pytest.raises((SegctlError, BatchRefusedError, NotNowError, UnknownOutcomeError)) as caught:
                finished(connector, batch(self.rows, action, audience=audience, id="push-1-batch-2"))
        return caught.value

    def test_requests_are_these(self, golden: Any) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            for number, action in enumerate(("add", "update", "remove")):
                finished(connector, batch(self.rows, action, audience=audience, id=f"push-1-batch-{number}"))

        text = "\n".join(shown(asked, self.url, self.volatile) for asked in self.fake.asked)

        golden.compare(text, Path(__file__).parent / "golden" / f"{self.kind}.txt")

    def test_a_dry_run_writes_down_what_is_sent(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            before = len(self.fake.asked)
            finished(connector, batch(self.rows, audience=audience))
        sent = self.fake.asked[before]
        with self.connected(dry=True) as connector:
            finished(connector, batch(self.rows, audience=audience))

        told = self.world.recorded[0]

        method, _, address = told.what.partition(" ")
        assert (method, address.partition("?")[0]) == (sent.method, self.url + sent.path)
        if not self.differs_dry:
            assert told.body == sent.body.decode()

    @pytest.mark.parametrize("fault", ["too_many", "unavailable"])
    def test_a_service_that_is_busy_takes_nothing_and_says_when(self, fault: Fault) -> None:
        error = self.fails(fault)

        assert isinstance(error, NotNowError)
        assert error.wait_s == pytest.approx(RETRY_AFTER_S)
        assert max(self.world.slept, default=0.0) < RETRY_AFTER_S  # its own pace at most

    @pytest.mark.parametrize("fault", ["lost_before", "lost_after", "error_after", "broken", "truncated"])
    def test_an_outcome_that_nobody_knows_is_said_to_be_so(self, fault: Fault) -> None:
        if fault == "truncated" and self.takes_any_success():
            pytest.skip("any success is one there")

        error = self.fails(fault)

        assert isinstance(error, UnknownOutcomeError)

    def takes_any_success(self) -> bool:
        """Whether the connector does not read the body of a success."""
        return False

    @pytest.mark.parametrize("fault", ["lost_after", "error_after"])
    def test_after_an_unknown_outcome_all_is_well_by_repeating(self, fault: Fault) -> None:
        if not abilities(self.declared()).is_repeatable:
            pytest.skip("it cannot be repeated")
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            self.fake.fails_next(fault)
            with pytest.raises(UnknownOutcomeError):
                finished(connector, batch(self.rows, audience=audience))
            finished(connector, batch(self.rows, audience=audience))

            assert self.people(audience) == self.named(connector)

    def test_nobody_there_means_that_nothing_was_sent(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
        dead = replace(self.declared(), options={**_elsewhere(self.options(), self.url)})
        with closing(kind(self.kind).connect(dead, self.world.around())) as connector, pytest.raises(NotNowError):
            finished(connector, batch(self.rows, audience=audience))

    def test_a_redirect_is_not_followed(self) -> None:
        trap = Fake()
        with serving(trap) as elsewhere:
            self.fake.redirect_to = f"{elsewhere}/take"
            error = self.fails("redirect")

        assert isinstance(error, SegctlError)
        assert error.code == "SEG899"
        assert trap.asked == []

    def test_an_old_token_is_renewed_once(self) -> None:
        if not self.asks_for_token:
            pytest.skip("there is no token")
        with self.connected() as connector:
            audience = connector.audience("winback", self.audience_name)
            self.fake.fails_next("expired")
            sent = finished(connector, batch(self.rows, audience=audience))

            assert sent.troubles == {}
            assert self.people(audience) == self.named(connector)
        assert isinstance(self.fails("expired", "expired"), SegctlError)

    @pytest.mark.parametrize("fault", ["expired", "forbidden"])
    def test_refused_credentials_end_it(self, fault: Fault) -> None:
        error = self.fails(fault, fault)

        assert isinstance(error, SegctlError)
        assert (error.code, error.exit_code) == ("SEG900", 2)

    def test_a_call_that_is_too_large_is_to_be_halved(self) -> None:
        error = self.fails("too_large")

        assert isinstance(error, BatchRefusedError)
        assert error.is_size

    @pytest.mark.parametrize(
        "fault", ["bad_request", "too_large", "too_many", "unavailable", "broken", "forbidden", "expired", "redirect"]
    )
    @pytest.mark.parametrize("action", ["add", "remove"])
    def test_no_word_of_an_error_is_secret_or_personal(self, fault: Fault, action: Action) -> None:
        error = self.fails(fault, fault, action=action)

        parts = [str(error), *error.args, *(vars(error).values()), *self.world.notes]
        said = "\n".join(map(str, parts)) + repr(getattr(error, "__cause__", None))
        assert PLANTED not in said
        assert [word for word in PERSONAL if word in said] == []

    def test_a_failing_service_is_a_probe(self) -> None:
        fake = self.fake
        fake.can_fail = lambda asked: True  # every request may fail now
        fake.fails_next(*["forbidden"] * 10)
        with self.connected() as connector:
            probes = connector.check()

        assert self.takes_any_answer() or [probe.name for probe in probes if probe.status == "problem"]
        assert PLANTED not in repr(probes)
        fake.faults.clear()

    def takes_any_answer(self) -> bool:
        """Whether any answer shows that the service is there."""
        return False


def shown(asked: Asked, url: str, volatile: tuple[str, ...] = ()) -> str:
    """A request as the golden files hold it: without what changes from run to run, and with secrets masked."""
    left_out = ("host", "connection", "accept-encoding", "user-agent", "content-length", "accept")
    lines = [f"{asked.method} {asked.url}"]
    headers = {name: "~" if name in volatile else value for name, value in sorted(asked.headers.items())}
    lines += [f"{name}: {value}" for name, value in headers.items() if name not in left_out]
    text = asked.body.decode("utf-8", "backslashreplace")
    if "json" in asked.headers.get("content-type", "") and text:
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    return masked("\n".join([*lines, *([text] if text else []), ""]).replace(url, "http://fake").replace(PLANTED, MASK))


def _elsewhere(options: Mapping[str, Any], url: str) -> dict[str, Any]:
    """The options with an address where nobody listens."""
    return {
        name: value.replace(url, "http://127.0.0.1:9") if isinstance(value, str) else value
        for name, value in options.items()
    }
