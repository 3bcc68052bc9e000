"""Fifty segments of a shop, said once and read three ways: as segctl's IR, as SQL and as Polars by hand.

About a hundred distinct metrics, eight "A then not B", four `keep`, nested segments, traits and `at_least`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

AS_OF = datetime(2025, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class M:
    """A metric compared with a number."""

    kind: str
    fn: str
    days: int | None
    op: str
    than: object
    of: str | None = None
    where: tuple[str, object] | None = None


@dataclass(frozen=True)
class T:
    """A trait compared with a value."""

    trait: str
    op: str
    value: object


@dataclass(frozen=True)
class S:
    """`a` in the last days, then no `b` within hours."""

    a: str
    b: str
    hours: int
    days: int
    same: str | None = None
    where: tuple[str, object] | None = None


@dataclass(frozen=True)
class R:
    """A member of another segment."""

    name: str


@dataclass(frozen=True)
class All:
    items: tuple[object, ...]


@dataclass(frozen=True)
class Some:
    items: tuple[object, ...]
    n: int = 1


@dataclass(frozen=True)
class No:
    item: object


@dataclass(frozen=True)
class Top:
    percent: int
    by: M
    per: str | None = None


def every(*items: object) -> All:
    return All(items)


def some(*items: object, n: int = 1) -> Some:
    return Some(items, n)


def count(kind: str, days: int | None, op: str, than: int, where: tuple[str, object] | None = None) -> M:
    return M(kind, "count", days, op, than, None, where)


def total(days: int | None, op: str, than: int, kind: str = "order_completed") -> M:
    return M(kind, "sum", days, op, than, "value")


VIEW, PAGE, CART, BUY, MAIL = "product_view", "page_view", "add_to_cart", "order_completed", "email_opened"
DACH = ("DE", "AT", "CH")
TIERS = ("gold", "platinum")


def day(year: int, month: int, of_month: int) -> date:
    return date(year, month, of_month)


SEGMENTS: dict[str, tuple[object, Top | None]] = {
    "active_day": (every(count(PAGE, 1, ">=", 1), count(VIEW, 1, ">=", 1)), None),
    "active_week": (every(count(PAGE, 7, ">=", 3), count(VIEW, 7, ">=", 3)), None),
    "active_month": (every(count(PAGE, 30, ">=", 5), count(VIEW, 30, ">=", 5)), None),
    "lapsed_buyers": (every(count(BUY, None, ">=", 1), count(BUY, 90, "=", 0)), None),
    "winback": (every(R("lapsed_buyers"), total(None, ">=", 20000), T("newsletter_optin", "=", True)), None),
    "vip": (every(total(365, ">=", 50000), count(BUY, 365, ">=", 3)), None),
    "vip_dach": (every(R("vip"), T("country", "in", DACH)), None),
    "vip_sleeping": (every(R("vip"), count(PAGE, 30, "=", 0)), None),
    "first_timers": (every(count(BUY, None, "=", 1), M(BUY, "first", 30, ">=", 1)), None),
    "window_shoppers": (every(count(VIEW, 90, ">=", 20), count(BUY, 90, "=", 0)), None),
    "cart_lovers": (every(count(CART, 30, ">=", 3), count("checkout_started", 30, "=", 0)), None),
    "wishful": (every(count("wishlist_add", 90, ">=", 2), count(BUY, 90, "=", 0)), None),
    "searchers": (every(count("search", 7, ">=", 3), count(CART, 7, "=", 0)), None),
    "search_fans": (every(count("search", 365, ">=", 10), T("country", "in", ("DE", "AT"))), None),
    "mobile_only": (
        every(count(VIEW, 90, ">=", 5, ("device", "mobile")), count(VIEW, 90, "=", 0, ("device", "desktop"))),
        None,
    ),
    "desktop_fans": (count(PAGE, 90, ">=", 20, ("device", "desktop")), None),
    "shoe_women": (
        every(count(VIEW, 90, ">=", 3, ("category", "damenschuhe")), T("gender", "=", "f")),
        None,
    ),
    "shoe_men": (every(count(VIEW, 90, ">=", 3, ("category", "herrenschuhe")), T("gender", "=", "m")), None),
    "gardeners": (
        some(
            count(VIEW, 365, ">=", 10, ("category", "garten")),
            count("product_purchased", 365, ">=", 1, ("category", "garten")),
        ),
        None,
    ),
    "tech_fans": (
        every(
            count(VIEW, 30, ">=", 3, ("category", "technik")),
            some(count(CART, 30, ">=", 1, ("category", "technik")), count("search", 30, ">=", 2)),
        ),
        None,
    ),
    "book_worms": (count(VIEW, None, ">=", 15, ("category", "buecher")), None),
    "kids": (
        some(
            count(VIEW, 90, ">=", 4, ("category", "kinder")),
            count("product_purchased", 365, ">=", 1, ("category", "kinder")),
        ),
        None,
    ),
    "variety": (M(VIEW, "distinct", 90, ">=", 6, "category"), None),
    "explorers": (every(M(VIEW, "distinct", 30, ">=", 15, "product_id"), count(PAGE, 30, ">=", 10)), None),
    "loyal_days": (M(PAGE, "days", 90, ">=", 10), None),
    "weekly_visitors": (M(VIEW, "days", 30, ">=", 5), None),
    "big_baskets": (every(M(BUY, "average", None, ">=", 15000, "value"), count(BUY, None, ">=", 2)), None),
    "one_big_order": (M(BUY, "max", 365, ">=", 40000, "value"), None),
    "bargain": (every(M(BUY, "min", None, "<", 2000, "value"), count(BUY, None, ">=", 1)), None),
    "returners": (some(count("order_refunded", 365, ">=", 1), total(None, ">=", 10000, "order_refunded")), None),
    "mail_readers": (every(count(MAIL, 30, ">=", 2), count("email_clicked", 90, ">=", 1)), None),
    "mail_ignorers": (
        every(count("email_sent", 90, ">=", 4), count(MAIL, 90, "=", 0), T("newsletter_optin", "=", True)),
        None,
    ),
    "mail_fatigue": (every(count("email_sent", 7, ">=", 1), count("email_clicked", 365, "=", 0)), None),
    "fresh_subscribers": (
        every(count("newsletter_subscribed", 90, ">=", 1), No(count(BUY, None, ">=", 1))),
        None,
    ),
    "logins": (every(count("login", 30, ">=", 2), total(30, "=", 0)), None),
    "young": (every(T("birth_date", ">=", day(1998, 1, 1)), count(PAGE, 90, ">=", 3)), None),
    "seniors": (every(T("birth_date", "<", day(1960, 1, 1)), total(365, ">=", 5000)), None),
    "engaged": (
        some(
            count(PAGE, 30, ">=", 10),
            count("search", 30, ">=", 3),
            count(CART, 30, ">=", 2),
            count("login", 90, ">=", 3),
            count("email_clicked", 30, ">=", 1),
            n=2,
        ),
        None,
    ),
    "checkout_lost": (every(S("checkout_started", BUY, 2, 30), T("country", "in", DACH)), None),
    "cart_lost": (S(CART, BUY, 24, 7), None),
    "cart_lost_dear": (every(S(CART, "checkout_started", 2, 30, None, ("category", "technik")), No(R("vip"))), None),
    "view_no_cart": (every(S(VIEW, CART, 2, 7), count(VIEW, 30, ">=", 10)), None),
    "view_product_no_cart": (S(VIEW, CART, 24, 30, "product_id"), None),
    "wish_no_buy": (S("wishlist_add", "product_purchased", 72, 90, "product_id"), None),
    "mail_no_click": (every(S(MAIL, "email_clicked", 2, 30), T("newsletter_optin", "=", True)), None),
    "search_no_view": (every(S("search", VIEW, 2, 30), count("search", 90, ">=", 4)), None),
    "best_customers": (count(BUY, None, ">=", 1), Top(10, total(None, ">=", 0))),
    "best_by_country": (count(BUY, 365, ">=", 1), Top(10, total(365, ">=", 0), "country")),
    "best_visitors": (every(count(PAGE, 90, ">=", 1), No(R("vip"))), Top(5, count(PAGE, 90, ">=", 0))),
    "best_carts": (
        every(count(CART, 90, ">=", 1), some(count(MAIL, 90, ">=", 1), count("login", 365, ">=", 2))),
        Top(20, M(CART, "distinct", 90, ">=", 0, "product_id")),
    ),
}


# Second thoughts that make the load wide: each adds metrics of its own to a segment above.
_FURTHER: dict[str, tuple[M, ...]] = {
    "active_day": (count("login", 1, ">=", 1), count("search", 1, ">=", 1), count(CART, 1, ">=", 1)),
    "active_week": (count(CART, 7, ">=", 1), count("login", 7, ">=", 1), count(MAIL, 7, ">=", 1)),
    "lapsed_buyers": (M(PAGE, "last", None, ">=", 400), M(VIEW, "last", None, ">=", 400)),
    "vip": (M(BUY, "last", None, ">=", 200), M("login", "last", None, ">=", 300)),
    "winback": (M(MAIL, "last", None, ">=", 365), M("search", "last", None, ">=", 365)),
    "first_timers": (M(VIEW, "first", None, ">=", 600), count("product_purchased", 30, ">=", 1)),
    "window_shoppers": (count("search", 90, ">=", 1), count(CART, 90, ">=", 2)),
    "cart_lovers": (count("remove_from_cart", 30, ">=", 1), M(CART, "distinct", 30, ">=", 2, "category")),
    "wishful": (M("wishlist_add", "distinct", 365, ">=", 2, "category"), count("wishlist_add", None, ">=", 4)),
    "search_fans": (M("search", "days", 365, ">=", 5), count("search", None, ">=", 20)),
    "mobile_only": (
        M(VIEW, "last_value", None, "=", "mobile", "device"),
        count(PAGE, 30, ">=", 5, ("device", "mobile")),
    ),
    "desktop_fans": (
        M(PAGE, "last_value", None, "=", "desktop", "device"),
        count(VIEW, 30, ">=", 3, ("device", "tablet")),
    ),
    "shoe_women": (
        count(CART, 365, ">=", 1, ("category", "damenschuhe")),
        count(VIEW, 7, ">=", 1, ("category", "damenschuhe")),
    ),
    "shoe_men": (
        count(CART, 365, ">=", 1, ("category", "herrenschuhe")),
        count(VIEW, 7, ">=", 1, ("category", "herrenschuhe")),
    ),
    "tech_fans": (count(VIEW, 365, ">=", 10, ("category", "technik")), count("search", 365, ">=", 3)),
    "variety": (M(VIEW, "distinct", 365, ">=", 9, "category"), M(PAGE, "distinct", 90, ">=", 2, "device")),
    "explorers": (M(VIEW, "distinct", None, ">=", 40, "product_id"), count(VIEW, 365, ">=", 60)),
    "loyal_days": (count(PAGE, 365, ">=", 40), count(PAGE, None, ">=", 80)),
    "big_baskets": (M("product_purchased", "sum", None, ">=", 4, "quantity"), total(90, ">=", 10000)),
    "one_big_order": (
        M("product_purchased", "sum", 365, ">=", 2, "quantity"),
        M("product_purchased", "distinct", None, ">=", 2, "category"),
    ),
    "mail_readers": (count(MAIL, 365, ">=", 4), count("email_sent", 365, ">=", 6)),
    "mail_ignorers": (count("email_sent", None, ">=", 10), count("email_sent", 30, ">=", 2)),
    "logins": (count("login", None, ">=", 5), count(PAGE, 7, ">=", 1)),
    "engaged": (count("checkout_started", 90, ">=", 1), count("checkout_started", 365, ">=", 2)),
}
for _name, _metrics in _FURTHER.items():
    SEGMENTS[_name] = (All((SEGMENTS[_name][0], Some(_metrics))), SEGMENTS[_name][1])


def metrics() -> set[M]:
    """Distinct metrics without the numbers they are compared with."""
    found: set[M] = set()

    def visit(node: object) -> None:
        match node:
            case M():
                found.add(M(node.kind, node.fn, node.days, "", 0, node.of, node.where))
            case All(items) | Some(items, _):
                for item in items:
                    visit(item)
            case No(item):
                visit(item)
            case _:
                pass

    for condition, keep in SEGMENTS.values():
        visit(condition)
        if keep is not None:
            visit(keep.by)
    return found
