"""Mails: against a real mail server, which is refused, interrupted and badly certified."""

from __future__ import annotations

import shutil
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from destination_suite import PLANTED, ROWS, SECRET, VARIABLE, World, batch, finished

from segctl.connectors.destinations.base import NotNowError, Row
from segctl.connectors.destinations.smtp import ABILITIES, Mailer
from segctl.connectors.destinations.smtp_message import recipient
from segctl.model.destinations import Destination
from segctl.model.errors import Refused, SegctlError, UsageError
from segctl.model.secrets import forget

controllers = pytest.importorskip("aiosmtpd.controller")
from aiosmtpd.smtp import AuthResult  # noqa: E402 - where the server is installed

ANNA = ROWS[0]


class Post:
    """Takes mails, and refuses some.

    Attributes:
        taken: Recipient and mail.
        answers: Recipient → what is answered to it.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[str, Message]] = []
        self.answers: dict[str, str] = {}
        self.content = ""
        self.loses = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - the server's name
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name
        self.taken += [(address, message_from_bytes(envelope.content)) for address in envelope.rcpt_tos]
        if self.loses:
            server.transport.close()
        return self.content or "250 taken"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate of localhost, signed by itself, with its key beside it."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("smtp")
    names = ["-subj", "/CN=segctl test", "-addext", "subjectAltName=DNS:localhost"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command = [program, "req", "-x509", *kind, *names, "-keyout", "key.pem", "-out", "ca.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "ca.pem"


def serving(post: Post, **options: Any) -> Any:
    """A started server on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = controllers.Controller(post, hostname="localhost", port=port, **options)
    controller.start()
    return controller


@pytest.fixture
def post() -> Iterator[Post]:
    """A mail server without TLS."""
    found = Post()
    controller = serving(found)
    found.port = controller.port  # type: ignore[attr-defined]  # of this test alone
    yield found
    controller.stop()
    forget()


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A project with the texts of mails."""
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "hello.txt").write_text("Hallo {first_name},\n\nschön, dass Sie da sind.\n", "utf-8")
    (tmp_path / "mails" / "hello.html").write_text("<p>Hallo {first_name}</p>", "utf-8")
    return tmp_path


def mailer(folder: Path, port: int, world: World | None = None, dry: bool = False, **options: Any) -> Mailer:
    """The destination `mails`."""
    given = {
        "host": "localhost", "port": port, "tls": "off", "sender": "Shop <news@shop.example>", "timeout_s": 5,
        "subject": "Für {first_name}", "body": "mails/hello.txt", "unsubscribe_url": "https://shop.example/u?c={external_id}",
    } | options  # fmt: skip
    fields = (("first_name", "first_name"),)
    identify = (("email", "email"), ("external_id", "customer_id"))
    declared = Destination("mails", "smtp", identify=identify, fields=fields, options=given)
    return Mailer(declared, (world or World(folder)).around(dry=dry))


def test_each_gets_one_mail_with_a_way_out(post: Any, texts: Path) -> None:
    mails = mailer(texts, post.port, html="mails/hello.html", unsubscribe_mailto="out@shop.example")

    sent = finished(mails, batch(ROWS, audience=mails.audience("winback", "winback")))
    mails.close()

    assert sent.troubles == {}
    assert [address for address, _ in post.taken] == ["anna@example.com", "jörg@bücher.example", "o'neil+a@example.org"]
    address, mail = post.taken[0]
    assert mail["To"] == address
    assert mail["From"] == "Shop <news@shop.example>"
    assert mail["List-Unsubscribe"] == "<https://shop.example/u?c=C-1>, <mailto:out@shop.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Date"] == "Sun, 22 Nov 2026 06:00:00 +0000"
    assert [part.get_content_type() for part in mail.walk()][1:] == ["text/plain", "text/html"]
    body = mail.get_payload()[0].get_payload(decode=True).decode()  # type: ignore[union-attr]  # a part
    assert body.replace("\r\n", "\n") == "Hallo Anna,\n\nschön, dass Sie da sind.\n"


def test_the_same_mail_has_the_same_id(post: Any, texts: Path) -> None:
    mails = mailer(texts, post.port)
    for push in ("p1", "p1", "p2"):
        finished(mails, replace(batch((ANNA,), audience="winback"), context={"push": push}))
    mails.close()

    first, again, later = (mail["Message-ID"] for _, mail in post.taken)

    assert first == again != later
    assert first.endswith("@shop.example>")


def test_a_refusal_is_of_one_recipient(post: Any, texts: Path) -> None:
    post.answers = {
        "anna@example.com": "550 5.1.1 anna@example.com is nobody here",
        "o'neil+a@example.org": "451 later",
    }
    mails = mailer(texts, post.port)

    sent = finished(mails, batch(ROWS, audience="winback"))
    mails.close()

    states = {key[0]: (trouble.state, trouble.code) for key, trouble in sent.troubles.items()}
    assert states == {"a": ("invalid", "550"), "c": ("rejected", "451")}
    assert "anna" not in repr(sent)
    assert [address for address, _ in post.taken] == ["jörg@bücher.example"]


def test_a_refused_content_is_told_by_its_code(post: Any, texts: Path) -> None:
    post.content = "554 spam"
    mails = mailer(texts, post.port)

    sent = finished(mails, batch(ROWS[:1], audience="winback"))
    mails.close()

    assert [(one.state, one.code) for one in sent.troubles.values()] == [("invalid", "554")]


def test_a_connection_that_breaks_after_the_mail_leaves_it_unknown(post: Any, texts: Path) -> None:
    post.loses = True
    mails = mailer(texts, post.port)

    sent = finished(mails, batch(ROWS[:1], audience="winback"))
    mails.close()

    assert [one.state for one in sent.troubles.values()] == ["unknown"]


def test_the_next_mail_goes_over_a_new_connection(post: Any, texts: Path) -> None:
    mails = mailer(texts, post.port)
    finished(mails, batch(ROWS[:1], audience="winback"))
    mails._server.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # as a server does that has waited too long

    with pytest.raises(NotNowError):
        finished(mails, batch(ROWS[1:2], audience="winback"))
    finished(mails, batch(ROWS[1:2], audience="winback"))
    mails.close()

    assert len(post.taken) == 2


@pytest.mark.parametrize(
    ("identifiers", "fields"),
    [
        ({"email": "a@example.com\nBcc: x@example.com"}, {}),
        ({"email": "a b@example.com"}, {}),
        ({"email": "<a@example.com>"}, {}),
        ({"email": "a@example.com,b@example.com"}, {}),
        ({"email": "a@example.com"}, {"first_name": "Anna\r\nBcc: x@example.com"}),
        ({}, {}),
    ],
)
def test_nobody_breaks_out_of_a_header(
    post: Any, texts: Path, identifiers: dict[str, str], fields: dict[str, str]
) -> None:
    mails = mailer(texts, post.port)

    sent = finished(mails, batch((Row("x", identifiers, fields),), audience="winback"))
    mails.close()

    assert [one.state for one in sent.troubles.values()] == ["invalid"]
    assert post.taken == []


def test_values_are_escaped_in_html(post: Any, texts: Path) -> None:
    mails = mailer(texts, post.port, html="mails/hello.html")
    row = replace(ANNA, fields={"first_name": "<script>&"})

    finished(mails, batch((row,), audience="winback"))
    mails.close()

    assert b"<p>Hallo &lt;script&gt;&amp;</p>" in post.taken[0][1].get_payload()[1].get_payload(decode=True)


def test_nothing_is_sent_for_updates_removals_and_dry_runs(post: Any, texts: Path) -> None:
    world = World(texts)
    mails = mailer(texts, post.port)
    finished(mails, batch(ROWS, "update", audience="winback"))
    finished(mails, batch(ROWS, "remove", audience="winback"))
    finished(mailer(texts, post.port, world, dry=True, per_minute=30), batch(ROWS, audience="winback"))

    assert post.taken == []
    assert world.recorded[0].what == "MAIL FROM:<news@shop.example> RCPT TO:<anna@example.com>"
    assert (world.recorded[0].rows, world.recorded[0].pace_s) == (1, 2.0)
    assert "Hallo Anna" in world.recorded[0].body


def test_who_withdraws_leaves_nothing_to_be_done_by_hand(texts: Path) -> None:
    nobody_listens = mailer(texts, 1)

    assert ABILITIES.removal == "leave"
    assert nobody_listens.send(batch(ROWS, "remove", audience="winback")).troubles == {}


def test_the_pace_is_kept(post: Any, texts: Path) -> None:
    world = World(texts)
    mails = mailer(texts, post.port, world, per_minute=120)

    finished(mails, batch(ROWS, audience="winback"))
    mails.close()

    assert world.slept == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unsubscribe_url": None}, "no way to unsubscribe"),
        ({"body": "mails/none.txt"}, "cannot be read"),
        ({"sender": "nobody"}, "cannot stand in a header"),
        ({"subject": "Hallo {nickname}"}, "`{nickname}`"),
        ({"subject": "Hallo\nBcc: x@example.com"}, "cannot stand in a header"),
    ],
)
def test_a_mail_that_cannot_be_written_is_told_at_once(texts: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        mailer(texts, 9, **options).audience("winback", "winback")

    assert caught.value.code == "SEG908"
    assert said in caught.value.message


def test_segments_may_have_letters_of_their_own(post: Any, texts: Path) -> None:
    mails = mailer(texts, post.port, letters={"winback": {"subject": "Zurück"}})

    finished(mails, batch((ANNA,), audience="winback"))
    finished(mails, replace(batch((ANNA,), audience="vip"), segment="vip"))
    mails.close()

    subjects = [str(message_from_bytes(mail.as_bytes())["Subject"]) for _, mail in post.taken]
    assert ["Zur" in subject for subject in subjects] == [True, False]


def test_without_tls_only_this_machine_is_spoken_to(texts: Path) -> None:
    with pytest.raises(UsageError) as caught:
        finished(mailer(texts, 25, host="mail.example.com"), batch(ROWS, audience="winback"))

    assert "in the clear" in caught.value.message


def test_a_certificate_must_be_right_and_a_login_accepted(
    texts: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PLANTED)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    shutil.copy(certificate, texts / "ca.pem")
    post = Post()

    def authenticate(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
        return AuthResult(handled=False, success=data.login == b"crm" and data.password == PLANTED.encode())

    controller = serving(post, tls_context=context, require_starttls=True, authenticator=authenticate)
    try:
        with pytest.raises(Refused) as strange:
            finished(mailer(texts, controller.port, tls="starttls"), batch(ROWS, audience="winback"))
        good = {"tls": "starttls", "ca_bundle": "ca.pem", "password": SECRET}
        with pytest.raises(SegctlError) as nobody:
            finished(mailer(texts, controller.port, user="no", **good), batch(ROWS, audience="winback"))
        mails = mailer(texts, controller.port, user="crm", **good)
        probes = mails.check()
        sent = finished(mails, batch(ROWS, audience="winback"))
        mails.close()
    finally:
        controller.stop()

    assert (strange.value.code, nobody.value.code) == ("SEG373", "SEG900")
    assert PLANTED not in f"{nobody.value.message} {nobody.value.why}"
    assert [probe.status for probe in probes] == ["ok", "ok", "ok"]
    assert (sent.troubles, len(post.taken)) == ({}, 3)
    forget()


def test_nobody_there_has_taken_nothing(texts: Path) -> None:
    mails = mailer(texts, 9)

    with pytest.raises(NotNowError):
        finished(mails, batch(ROWS, audience="winback"))

    assert [probe.status for probe in mails.check()] == ["problem"]
    assert smtplib.SMTP_PORT == 25


def test_addresses_of_other_scripts_need_a_server_that_knows_them() -> None:
    assert recipient("jörg@bücher.example", takes_utf8=False) is None
    assert recipient("joerg@bücher.example", takes_utf8=False) == "joerg@xn--bcher-kva.example"
    assert recipient("anna@straße.example", takes_utf8=False) == "anna@xn--strae-oqa.example"
    assert recipient("jörg@bücher.example", takes_utf8=True) == "jörg@bücher.example"
