"""What `segctl demo --live` needs and how it judges its day; the day itself is a slow test."""

from __future__ import annotations

import gzip
import json
import re
import sys
from contextlib import nullcontext
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from segctl.cli import demo_live
from segctl.cli.demo_judge import Past, Visitor, faults, past_of
from segctl.cli.demo_mail import Inbox, mail_server, text_of
from segctl.model.errors import UsageError

pytest.importorskip("aiosmtpd")
pytest.importorskip("segment.analytics")


SHOE, BAG = {"product_id": "SN-100", "price": 89.9}, {"product_id": "TA-100", "price": 129.0}
CAST = (Visitor("00005", (SHOE, BAG), "leaves", 2), Visitor("00006", (SHOE,), "control", 0))
CART = [("TA-100", "129,00"), ("SN-100", "89,90")]


def mail(profile: str, number: int, cart: list[tuple[str, str]] = CART, more: str = "KI-001") -> EmailMessage:
    found = EmailMessage()
    found["Message-ID"] = f"<{number}@shop.example>"
    found["List-Unsubscribe"] = f"<https://shop.example/abmelden?p={profile}>"
    found["Subject"] = "Ihr Warenkorb"
    lines = [f"Ding {name} (https://shop.example/p/{quote(name)}) {price} €" for name, price in cart]
    found.set_content("\n".join(["Grüße", *lines, "Zum Warenkorb (https://shop.example/warenkorb)",
                                 f"Auch {more} (https://shop.example/p/{quote(more)}) EUR 1.00"]))  # fmt: skip
    return found


RIGHT = (mail("00005", 1), mail("00005", 2), mail("01451", 3))


def wrong(*mails: EmailMessage, numbers: tuple[int, ...] = (1, 2), **past: Past) -> list[str]:
    return list(faults(mails, CAST, {"00005": past.get("past", Past())}, numbers))


def test_one_mail_too_many_too_few_or_twice_the_same_is_no_success() -> None:
    assert wrong(*RIGHT) == []
    assert wrong(*RIGHT[1:]) == ["00005 got 1 mails instead of 2"]
    assert wrong(*RIGHT, mail("00006", 4)) == [
        "00006 got 1 mails instead of 0", "the mail to 00006 shows TA-100, SN-100",
    ]  # fmt: skip
    assert wrong(*RIGHT[:2], mail("01451", 2)) == ["a mail arrived twice"]
    assert wrong(*RIGHT, numbers=(7, 7)) == ["a change was said twice: (7, 7)"]


@pytest.mark.parametrize(
    ("cart", "more", "fault"),
    [
        (CART[:1], "KI-001", "shows TA-100"),
        (CART[::-1], "KI-001", "shows SN-100, TA-100"),
        ([], "KI-001", "shows no products"),
        ([CART[0], ("SN-100", "98,90")], "KI-001", "shows another price"),
        (CART, "SN-100", "recommends SN-100"),
        (CART, "BÜ-001", "recommends BÜ-001"),
    ],
)
def test_other_products_than_those_of_the_cart_are_no_success(
    cart: list[tuple[str, str]], more: str, fault: str
) -> None:
    found = wrong(RIGHT[0], mail("00005", 2, cart, more), past=Past(frozenset({"BÜ-001"})))

    assert len(found) == 1
    assert fault in found[0]


def test_what_was_left_in_the_cart_before_stands_below_and_only_three_are_shown() -> None:
    past = Past(left=({"product_id": "WO-001", "price": 2.0}, {"product_id": "BÜ-005", "price": 42.99}, SHOE))
    cart = [*CART, ("BÜ-005", "42,99")]

    assert wrong(mail("00005", 1, cart), mail("00005", 2, cart), past=past) == []


def test_the_past_is_read_from_the_files_of_the_shop(tmp_path: Path) -> None:
    orders = [{"customer": {"id": "1"}, "created_at": "2026-11-10T10:00:00Z", "lines": [{"sku": "A"}, {"sku": "B"}]}]
    (tmp_path / "orders.json").write_text(json.dumps({"data": {"orders": orders}}), "utf-8")
    added = [("1", "2026-11-10T11:00:00+01:00", "A"), ("1", "2026-11-10T11:30:00+01:00", "C"), ("2", "x", "D")]
    lines = [
        json.dumps({"event": "product_added", "user_id": who, "sent_at": at, "properties": {"product_id": name}})
        for who, at, name in added
    ]
    (tmp_path / "web.ndjson.gz").write_bytes(gzip.compress("\n".join(lines).encode()))

    assert past_of(tmp_path, {"1"}) == {"1": Past(frozenset({"A", "B"}), ({"product_id": "C"},))}


def test_the_clock_never_goes_back_within_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    process = SimpleNamespace(kill=int, communicate=lambda timeout: ("", ""), returncode=-9)
    inbox = Inbox()
    inbox.mails = [mail("00005", 1)]
    stage = SimpleNamespace(tell=said.append, run=lambda *_, **__: None, going=lambda _: nullcontext(process),
                            changes=list, inbox=inbox)  # fmt: skip
    for name in ("_visits", "_url_of", "_wait"):
        monkeypatch.setattr(demo_live, name, lambda *_: None)

    demo_live._morning(stage)
    demo_live._noon(stage, "")
    demo_live._mails(stage, process)
    demo_live._afternoon(stage, process, "")
    demo_live._next_day(stage)

    days = re.split(r"\d+ November\n", "\n".join(said))
    clocks = [re.findall(r"^\d\d:\d\d", day, re.MULTILINE) for day in days]
    assert clocks == [[], ["10:00", "12:03", "12:30", "15:00"], ["12:45"]]


def test_the_visitors_look_at_what_the_shop_calls_so() -> None:
    fans = Path(__file__).resolve().parents[2] / "configs/segments/sneaker_fans.yaml"

    assert f"[{demo_live._SNEAKER['category']}]" in fans.read_text("utf-8")


def test_without_the_packages_nothing_is_written_and_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segment.analytics.client", None)

    with pytest.raises(UsageError, match="further packages") as raised:
        demo_live.needed()
    assert raised.value.hint == "pip install 'segctl[live]'"


def test_the_mail_server_keeps_what_it_is_given() -> None:
    heard: list[int] = []
    with mail_server() as (port, inbox):
        inbox.meanwhile = lambda: heard.append(len(inbox.mails))
        with SMTP("127.0.0.1", port) as client:
            for number in (1, 2):
                client.send_message(mail("00005", number), "crm@shop.example", "a@post.example")
        assert [text_of(one)[:5] for one in inbox.mails] == ["Grüße", "Grüße"]
    assert heard == [1]
