"""A shop whose people are known to six systems: services, a table of sales, a spreadsheet's CSV and a log of events."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.sources import postgres
from contracts.fake_shop import FakeShop

PROJECT = """
segctl: 1
name: lindenhof
timezone: Europe/Berlin
identifiers:
  card: {class: known}
  shopify_id: {class: known}
  stripe_id: {class: known}
  klaviyo_id: {class: known}
  user_id: {class: known}
  email: {class: known, personal: true}
  phone: {class: known, personal: true}
  anonymous_id: {class: anonymous}
identity: {country: DE}
traits:
  first_name: {type: text, personal: true}
  last_name: {type: text, personal: true}
  city: text
  newsletter: boolean
  revenue: {type: money, unit: EUR}
  signed_up: date
events:
  order_completed: {properties: {order_id: text, value: {type: money, unit: EUR}, currency: text}}
  pos_sale: {properties: {value: {type: money, unit: EUR}, till: integer}}
  product_viewed: {properties: {product_id: text}}
"""

NEWSLETTER = """
source: newsletter
path: data/newsletter.csv
key: {email: E-Mail}
missing_values: ["k.A."]
max_bad_rows: 10 %
profiles:
  first_name: Vorname
  last_name: Nachname
  city: Ort
  revenue: Umsatz
  newsletter: Newsletter
  signed_up: Angemeldet am
contract:
  required: [E-Mail]
  properties:
    E-Mail: {format: idn-email}
    Umsatz: {type: number, minimum: 0}
"""

POS = """
source: pos
kind: database
database: {url: {env: POS_URL}, table: sales, cursor: updated_at}
key: {card: card, email: email, phone: phone}
max_bad_rows: 5 %
events:
  - {event: pos_sale, time: {column: sold_at, zone: UTC}, id: receipt, properties: {value: value, till: till}}
contract:
  properties:
    value: {type: number, minimum: 0}
"""

TABLE = (
    "CREATE TABLE sales (receipt TEXT PRIMARY KEY, card TEXT, email TEXT, phone TEXT, value NUMERIC(10, 2),"
    " till INTEGER, sold_at TIMESTAMP, updated_at TIMESTAMP)"
)
REGULARS = "segment: regulars\nwhere: {event: pos_sale, count: {at_least: 3}}\n"
FIRST = ("Jürgen", "Käthe", "Sören", "Zoë", "Björn", "Anna", "Günther")
LAST = ("Groß", "Müller", "Öztürk", "Weiß", "Händel")
DESK_PHONE = "0176 / 48 31 02 59"


def address(number: int) -> str:
    """The e-mail address of a person."""
    return f"{chr(97 + number % 26)}.lindner{number}@lindenhof.shop"


def write_project(root: Path, shop_url: str, presets: dict[str, str]) -> None:
    """Declarations and the files that people bring."""
    files = {"segctl.yaml": PROJECT, "segments/regulars.yaml": REGULARS, "sources/newsletter.yaml": NEWSLETTER,
             "sources/pos.yaml": POS, "data/web.jsonl": web_log(),
             "sources/web.yaml": "source: web\npath: data/web*.jsonl\ntracking: segment\nmax_bad_rows: 1\n",
             "sources/shop_orders.yaml": "source: shop_orders\npreset: shopify_orders\n"
             f"rest: {{base_url: '{shop_url}/admin/api/2026-10'}}\n"}  # fmt: skip
    for preset, url in presets.items():
        # A description without state gives the same page for ever.
        text = f"source: {preset}\npreset: {preset}\nrest: {{base_url: '{url}', pages: none}}\n"
        files[f"sources/{preset}.yaml"] = text
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "data" / "newsletter.csv").write_bytes(newsletter())


def newsletter() -> bytes:
    """A German spreadsheet's CSV: semicolons, code page 1252, decimal commas; four of its 83 rows are bad."""
    rows = ["E-Mail;Vorname;Nachname;Ort;Umsatz;Newsletter;Angemeldet am"]
    for n in range(80):
        mail, spent, day = address(n), f"1.{n:03d},50", f"{n % 28 + 1:02d}.03.2025"
        spent = {3: "k.A.", 5: "-7,00"}.get(n, spent)
        day = "31.02.2025" if n == 7 else day
        mail = "kein-at-zeichen" if n == 9 else mail
        city = '"Halle; Saale"' if n % 2 else "Köln"
        rows.append(f"{mail};{FIRST[n % 7]};{LAST[n % 5]};{city};{spent};{'nein' if n % 4 else 'ja'};{day}")
    rows += [rows[1], "zu;kurz", "sarah.mason@klaviyo-demo.com;Sarah;Mason;Köln;0,00;ja;01.04.2025"]
    return ("\r\n".join(rows) + "\r\n").encode("cp1252")


def web_log() -> str:
    """Messages of Segment: a visitor looks around and logs in."""
    at = "2026-11-{:02d}T08:00:00Z"
    viewed = {
        "type": "track",
        "event": "Product Viewed",
        "anonymousId": "dev-81c2-a7",
        "properties": {"product_id": "7"},
    }
    known = {"type": "identify", "anonymousId": "dev-81c2-a7", "userId": "u-90210", "traits": {"city": "Aachen"}}
    lines = (
        viewed | {"messageId": "m1", "timestamp": at.format(2)},
        known | {"messageId": "m2", "timestamp": at.format(3)},
        {"type": "track", "messageId": "m3", "timestamp": at.format(4), "userId": "u-90210"},
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def sales() -> list[tuple[object, ...]]:
    """Sales of 20 cards; one amount is negative, and two cards were given the telephone of the desk."""
    rows: list[tuple[object, ...]] = []
    for n in range(40):
        who = n % 20
        sold = f"2026-10-{n % 28 + 1:02d} 09:30:00"
        value = "-5.00" if n == 30 else f"{n}.90"
        rows.append((f"R{n:04d}", f"KK{who:03d}", address(who), None, value, n % 3, sold, sold))
    for receipt, card in (("R1001", "KK101"), ("R1002", "KK101"), ("R1003", "KK102")):
        sold = f"2026-11-{receipt[-2:]} 17:00:00"
        rows.append((receipt, card, None, DESK_PHONE, "12.50", 1, sold, sold))
    return rows


@contextmanager
def point_of_sale(root: Path) -> Iterator[tuple[str, bool]]:
    """The address of the table of sales and whether it is PostgreSQL's; without a server it is a file of SQLite."""
    programs = postgres.binaries()
    if programs is None:
        (root / "data").mkdir(exist_ok=True)
        with sqlite3.connect(root / "data" / "pos.db") as db:
            db.execute(TABLE)
            db.executemany("INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?, ?, ?)", sales())
        yield "sqlite:///data/pos.db", False
        return
    import sqlalchemy as sa

    with postgres.server(programs) as url:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(TABLE)
            for row in sales():
                connection.exec_driver_sql("INSERT INTO sales VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
        engine.dispose()
        yield url, True


def filled_shop() -> FakeShop:
    """A stand-in for a shop (our own, not Shopify's) with orders of five subscribers."""
    shop = FakeShop(page=4)
    for number in range(9):
        shop.order(number, number + 2)
    for order in shop.orders:
        who = order["customer"]["id"] - 100
        order["email"] = address(who)
        order["customer"] |= {"first_name": FIRST[who % 7], "last_name": LAST[who % 5]}
    return shop
