"""How the live demo ended: who got which mails, with which products; compared with what the visitors did."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from segctl.cli.demo_mail import text_of
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from email.message import EmailMessage

_PRODUCT = re.compile(r"https://shop\.example/p/([^)\s]+)\)(.*)")
_TO_CART = re.compile(r"https://shop\.example/(warenkorb|cart)\)")


_IN_MAIL = 3
"""Products of a cart that a mail shows, as `content/cart_recovery.yaml` says."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody of the story.

    Attributes:
        cart: Products in the order in which they went into the cart.
        does: In words.
        mails: How many they are to get.
    """

    profile: str
    cart: tuple[Mapping[str, Any], ...]
    does: str
    mails: int


@dataclass(frozen=True, slots=True)
class Past:
    """What the shop's own files say of one person.

    Attributes:
        bought: Products of orders, which they are not to be recommended again.
        left: Products that they have put into the cart since the last order, the newest last.
    """

    bought: frozenset[str] = frozenset()
    left: tuple[Mapping[str, Any], ...] = ()


def faults(
    mails: Sequence[EmailMessage], cast: Sequence[Visitor], past: Mapping[str, Past], numbers: Sequence[int]
) -> Iterator[str]:
    """What is not as the story tells; nothing where all is well.

    Args:
        mails: All that arrived; those to others, of carts of the night before, only have to be different ones.
        cast: The visitors.
        past: Of the visitors, by profile.
        numbers: Of the changes that the stream has said.
    """
    ids = [str(mail["Message-ID"]) for mail in mails]
    if len(set(ids)) < len(ids):
        yield "a mail arrived twice"
    if len(set(numbers)) < len(numbers):
        yield f"a change was said twice: {numbers}"
    for one in cast:
        own = [mail for mail in mails if profile_of(mail) == one.profile]
        if len(own) != one.mails:
            yield f"{one.profile} got {len(own)} mails instead of {one.mails}"
        for mail in own:
            yield from _wrong_products(one, text_of(mail), past.get(one.profile, Past()))


def profile_of(mail: EmailMessage) -> str:
    """Whom a mail is for, by its link that unsubscribes."""
    return str(mail["List-Unsubscribe"]).rpartition("=")[2].rstrip(">")


def past_of(data: Path, profiles: Collection[str]) -> dict[str, Past]:
    """Reads the shop's orders and its tracking log themselves, so that segctl is not asked about its own work."""
    bought: dict[str, set[str]] = {one: set() for one in profiles}
    ordered: dict[str, datetime] = {}
    for order in json.loads((data / "orders.json").read_text("utf-8"))["data"]["orders"]:
        if (who := order["customer"]["id"]) in profiles:
            bought[who].update(line["sku"] for line in order["lines"])
            at = datetime.fromisoformat(order["created_at"])
            ordered[who] = max(at, ordered.get(who, at))
    left: dict[str, dict[datetime, Mapping[str, Any]]] = {one: {} for one in profiles}
    with gzip.open(data / "web.ndjson.gz", "rt", encoding="utf-8") as lines:
        for event in (json.loads(line) for line in lines if '"product_added"' in line):
            if (who := event.get("user_id")) in profiles:
                at = datetime.fromisoformat(event["sent_at"])
                if who not in ordered or at > ordered[who]:
                    left[who][at] = event["properties"]
    return {one: Past(frozenset(bought[one]), tuple(left[one][at] for at in sorted(left[one]))) for one in profiles}


def _wrong_products(one: Visitor, text: str, past: Past) -> Iterator[str]:
    cut = _TO_CART.search(text)
    at = len(text) if cut is None else cut.start()
    shown = [(unquote(name), rest.replace(",", ".")) for name, rest in _PRODUCT.findall(text[:at])]
    # The newest comes first, and what stands in the cart twice counts once.
    cart = {str(product["product_id"]): product for product in reversed((*past.left, *one.cart))}
    wanted = list(cart)[:_IN_MAIL]
    if [name for name, _ in shown] != wanted:
        yield f"the mail to {one.profile} shows {', '.join(name for name, _ in shown) or 'no products'}"
    elif any(f"{cart[name]['price']:.2f}" not in rest for name, rest in shown):
        yield f"the mail to {one.profile} shows another price"
    again = sorted({unquote(name) for name, _ in _PRODUCT.findall(text[at:])} & {*cart, *past.bought})
    if again:
        yield f"the mail to {one.profile} recommends {', '.join(again)}, which they have or had in the cart"
