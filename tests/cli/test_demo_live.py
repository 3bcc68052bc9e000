"""What `segctl demo --live` needs and how it judges its day; the day itself is a slow test."""

from __future__ import annotations

import re
import sys
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP
from types import SimpleNamespace

import pytest

from segctl.cli import demo_live
from segctl.cli.demo_mail import Inbox, mail_server, text_of
from segctl.model.errors import IntegrityError, UsageError

pytest.importorskip("aiosmtpd")
pytest.importorskip("segment.analytics")


def mail(profile: str, number: int) -> EmailMessage:
    found = EmailMessage()
    found["Message-ID"] = f"<{number}@shop.example>"
    found["List-Unsubscribe"] = f"<https://shop.example/abmelden?p={profile}>"
    found["Subject"] = "Ihr Warenkorb"
    found.set_content("Grüße\n")
    return found


def judged(tmp_path: Path, told: list[str], numbers: list[int] | None = None) -> None:
    inbox = Inbox()
    inbox.mails = [mail(who, n) for who, n in zip(told, numbers or range(len(told)), strict=True)]
    ctx = type("Ctx", (), {"quiet": True, "output": str(tmp_path / "said.txt")})()
    demo_live.judge(demo_live.Stage(ctx, tmp_path, inbox, {}, None))


def test_one_mail_too_many_too_few_or_twice_the_same_is_no_success(tmp_path: Path) -> None:
    right = ["00005", "00009", "00021", "00005", "00009", "01451"]

    judged(tmp_path, right)
    for wrong in (right[:-2], [*right, "00021"], [*right, "00006"], [*right[:4], "00017"]):
        with pytest.raises(IntegrityError, match="did not end as it should"):
            judged(tmp_path, wrong)
    with pytest.raises(IntegrityError):
        judged(tmp_path, right, [0, 1, 2, 3, 3, 5])


def test_a_change_that_was_said_twice_is_no_success(tmp_path: Path) -> None:
    said = '{"seq": 7, "segment": "cart_abandoners", "profile": "00005", "change": "entered"}\n'
    (tmp_path / "changes.ndjson").write_text(said + said, "utf-8")

    with pytest.raises(IntegrityError):
        judged(tmp_path, ["00005", "00009", "00021", "00005", "00009"])


def test_the_clock_never_goes_back_within_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    stage = SimpleNamespace(tell=said.append, run=lambda *_, **__: None, begin=lambda _: SimpleNamespace(
        kill=int, wait=int), changes=list, inbox=Inbox())  # fmt: skip
    for name in ("_collected", "_visits", "_url_of", "_wait"):
        monkeypatch.setattr(demo_live, name, lambda *_: None)

    for part in ("_morning", "_noon", "_afternoon", "_next_day"):
        getattr(demo_live, part)(stage)

    days = re.split(r"\d+ November\n", "\n".join(said))
    clocks = [re.findall(r"^\d\d:\d\d", day, re.MULTILINE) for day in days]
    assert clocks == [[], ["10:00", "12:30", "15:00"], ["12:45"]]


def test_the_visitors_look_at_what_the_shop_calls_so() -> None:
    fans = Path(__file__).resolve().parents[2] / "configs/segments/sneaker_fans.yaml"

    assert f"[{demo_live._SNEAKER['category']}]" in fans.read_text("utf-8")


def test_without_the_packages_nothing_is_written_and_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segment.analytics.client", None)

    with pytest.raises(UsageError, match="further packages") as raised:
        demo_live.needed()
    assert raised.value.hint == "pip install 'segctl[live]'"


def test_the_mail_server_keeps_what_it_is_given() -> None:
    with mail_server() as (port, inbox):
        with SMTP("127.0.0.1", port) as client:
            client.send_message(mail("00005", 1), "crm@shop.example", "a@post.example")
        assert [text_of(one) for one in inbox.mails] == ["Grüße"]
