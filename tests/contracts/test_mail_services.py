"""Transactional mail of SendGrid and Brevo: the suite against stand-ins, and what is special to mails."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from destination_suite import PLANTED, ROWS, SECRET, HttpSuite, batch, finished
from fakes.transactional import FakeBrevoMail, FakeMail, FakeSendGridMail

from segctl.connectors.destinations.base import BatchRefusedError, Message, Row, Sent
from segctl.model.errors import UsageError

LETTER = Message("Your\nbasket", "Words & more\nhere", "<p>Words</p>", "https://shop.example/out?t=1")
MAILED = (*ROWS[:1], Row("b" * 32, {"email": "jo@bücher.example"}, {"first_name": "Jo"}), *ROWS[2:])
"""An address whose domain, but not whose name, has an umlaut; the latter none of the services takes."""


class MailSuite(HttpSuite):
    rows: ClassVar[tuple[Row, ...]] = MAILED
    more: ClassVar[dict[str, Any]] = {}
    fake: FakeMail

    @abstractmethod
    def to(self, body: Any) -> str:
        """Who gets a mail."""

    def people(self, audience: str) -> set[str]:
        return {self.to(body).replace("xn--bcher-kva", "bücher") for body in self.fake.sent}

    def options(self) -> dict[str, Any]:
        own = {"sender": "Shop <news@shop.example>", "unsubscribe_url": "https://shop.example/out?e={email}"}
        return {"api_key": SECRET, **own, **self.more}

    @pytest.fixture(autouse=True)
    def _plain(self) -> Iterator[None]:
        type(self).more = {}
        yield
        type(self).more = {}

    def written(self, message: Message = LETTER, rows: tuple[Row, ...] = MAILED[:1]) -> Sent:
        """What became of mails of a workflow."""
        with self.connected() as connector:
            told = replace(batch(rows, audience="cart", id="effect-1"), message=message)
            return finished(connector, told)

    def test_people_enter_and_leave(self) -> None:
        with self.connected() as connector:
            entered = finished(connector, batch(self.rows, audience="winback"))
            left = finished(connector, batch(self.rows[:1], "remove", audience="winback"))

        assert entered == left == Sent()
        assert len(self.fake.sent) == len(self.rows)

    def test_an_update_puts_nobody_in(self) -> None:
        with self.connected() as connector:
            assert finished(connector, batch(self.rows, "update", audience="winback")) == Sent()
        assert self.fake.sent == []

    @pytest.mark.parametrize("action", ["add"])
    @pytest.mark.parametrize("fault", ["bad_request", "too_large", "too_many", "unavailable", "broken", "forbidden"])
    def test_no_word_of_an_error_is_secret_or_personal(self, fault: Any, action: Any) -> None:
        super().test_no_word_of_an_error_is_secret_or_personal(fault, action)

    def test_a_dry_run_does_nothing_and_tells_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with self.connected(dry=True) as connector:
            finished(connector, batch(self.rows, audience=connector.audience("winback", "winback")))

        assert self.was_told() == 0
        assert sum(one.rows for one in self.world.recorded) == len(self.rows)
        assert PLANTED not in repr(self.world.recorded)

    def test_an_address_that_nobody_takes_keeps_nobody_else_waiting(self) -> None:
        sent = self.written(rows=ROWS)

        assert {key: found.state for key, found in sent.troubles.items()} == {ROWS[1].key: "invalid"}
        assert len(self.fake.sent) == 2

    def test_one_who_is_refused_keeps_nobody_else_waiting(self) -> None:
        self.fake.refused = {"o'neil+a@example.org"}

        sent = self.written(rows=MAILED)

        assert {key: found.state for key, found in sent.troubles.items()} == {MAILED[2].key: "invalid"}
        assert "neil" not in repr(sent)

    def test_a_push_without_a_template_is_refused_before_anything_is_sent(self) -> None:
        type(self).more = {"template": None}
        with self.connected() as connector, pytest.raises(UsageError, match="template"):
            connector.audience("winback", "winback")

    def test_a_mail_without_a_way_out_is_not_sent(self) -> None:
        type(self).more = {"unsubscribe_url": None}
        with pytest.raises(UsageError) as error:
            self.written(replace(LETTER, unsubscribe_url=None))

        assert error.value.why == "there is no way to unsubscribe"
        assert self.fake.sent == []


class TestSendGridMail(MailSuite):
    kind: ClassVar[str] = "sendgrid_mail"

    def make_fake(self) -> FakeMail:
        return FakeSendGridMail(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"base_url": self.url, "template": "d-1", **super().options()}

    def to(self, body: Any) -> str:
        found: str = body["personalizations"][0]["to"][0]["email"]
        return found

    def takes_any_success(self) -> bool:
        return True

    def test_a_mail_of_a_workflow_is_written_as_the_service_wants_it(self) -> None:
        type(self).more = {"reply_to": "help@shop.example", "tag": "cart", "unsubscribe_group": 7}

        assert self.written() == Sent()

        assert self.fake.sent == [
            {
                "personalizations": [
                    {"to": [{"email": "anna@example.com"}], "custom_args": {"segctl_key": f"effect-1:{'a' * 32}"}}
                ],
                "from": {"email": "news@shop.example", "name": "Shop"},
                "headers": {
                    "List-Unsubscribe": "<https://shop.example/out?t=1>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                },
                "subject": "Your basket",
                "content": [
                    {"type": "text/plain", "value": "Words & more\nhere"},
                    {"type": "text/html", "value": "<p>Words</p>"},
                ],
                "reply_to": {"email": "help@shop.example"},
                "categories": ["cart"],
                "asm": {"group_id": 7},
            }
        ]


class TestBrevoMail(MailSuite):
    kind: ClassVar[str] = "brevo_mail"

    def make_fake(self) -> FakeMail:
        return FakeBrevoMail(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"base_url": f"{self.url}/v3", "template": 7, **super().options()}

    def to(self, body: Any) -> str:
        found: str = body["to"][0]["email"]
        return found

    def takes_any_success(self) -> bool:
        return True

    def test_a_mail_of_a_workflow_is_written_as_the_service_wants_it(self) -> None:
        type(self).more = {"reply_to": "help@shop.example", "tag": "cart"}

        assert self.written(replace(LETTER, html=None)) == Sent()

        (body,) = self.fake.sent
        assert len(body["headers"].pop("idempotencyKey")) == 36
        assert body == {
            "sender": {"email": "news@shop.example", "name": "Shop"},
            "to": [{"email": "anna@example.com"}],
            "headers": {
                "List-Unsubscribe": "<https://shop.example/out?t=1>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
            "subject": "Your basket",
            "htmlContent": "<!DOCTYPE html><html><body><p>Words &amp; more<br>here</p></body></html>",
            "textContent": "Words & more\nhere",
            "replyTo": {"email": "help@shop.example"},
            "tags": ["cart"],
        }

    def test_what_was_taken_before_is_no_failure(self) -> None:
        first, again = self.written(), self.written()

        assert first == again == Sent()
        assert len(self.fake.sent) == 1

    def test_any_other_refusal_is_one(self) -> None:
        self.fake.refused = {"anna@example.com"}
        with pytest.raises(BatchRefusedError) as error:
            self.written()

        assert error.value.code == "invalid_parameter"
