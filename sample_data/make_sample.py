"""Make the sample data: a German-speaking shop, about 2,000 people and 60,000 events, dirty on purpose.

    python sample_data/make_sample.py [FOLDER]

Everything is invented. Mail addresses end in the reserved domain .example. The same Python gives the same bytes:
one seed, no clock. What is dirty, and why, stands in `DIRT` at the end of this file.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

PEOPLE = 2_000
BERLIN = ZoneInfo("Europe/Berlin")
FIRST_DAY = date(2025, 10, 1)
LAST_DAY = date(2026, 11, 18)
FIRST_NAMES = (
    "Anna Lukas Sabine Jürgen Zoë Björn Käthe Mehmet Ayşe Paweł Chloé Günther Ines Tobias Franziska Jörg Mia Emil "
    "Nele Oskar Hannah Søren Beate Uwe Lea Finn Marlene Theo Petra Klaus"
).split()
LAST_NAMES = (
    "Müller Schmidt Schröder Weiß Groß O'Brien Yılmaz Nowak Lefèvre Huber Gruber Bäcker Köhler Jäger Vogel Böhm "
    "Krüger Stein Roth Lang Kühn Brandt Sommer Winter Haas Seidel Lorenz Pohl Ziegler Ott"
).split()
PLACES = (
    ("DE", "Berlin", "10"), ("DE", "Dresden", "01"), ("DE", "Leipzig", "04"), ("DE", "München", "80"),
    ("DE", "Köln", "50"), ("DE", "Saarbrücken", "66"), ("AT", "Wien", "1"), ("AT", "Graz", "80"),
    ("CH", "Zürich", "80"), ("CH", "Genève", "12"),
)  # fmt: skip
PLACE_WEIGHTS = (24, 8, 8, 14, 12, 6, 12, 5, 8, 3)
CATEGORIES = {"Sneaker": 89, "Jacken": 129, "Taschen": 59, "Kinder": 35, "Wohnen": 45, "Sport": 54, "Bücher": 18}
SEASON = {11: 1.6, 12: 2.0, 1: 0.8, 2: 0.8}
SEARCHES = ("winterjacke", "sneaker weiß", "geschenk", "rucksack", "größe 42", "50 % reduziert", "kinder mütze")
REASONS = ("zu klein", "zu groß", "gefällt nicht", "beschädigt")
TIERS = ("bronze", "silber", "gold")
FIRM_NAMES = "Alpen Hafen Linden Nord Rhein Sonnen Stern Wald Donau Isar Elbe Havel".split()
FIRM_KINDS = ("Apotheke", "Bau GmbH", "Logistik GmbH", "Praxis", "Schule", "Verlag", "Werke AG", "Zentrum")
TOPICS = ("Lieferung", "Rechnung", "Rückgabe", "Konto")


def main(folder: Path) -> None:
    """Write all files below `folder`."""
    rng = random.Random(20261118)
    people = [person(rng, number) for number in range(1, PEOPLE + 1)]
    events = sorted((e for p in people for e in life(rng, p)), key=lambda e: (e["at"], e["id"]))
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "customers.csv", customers(rng, people).encode("cp1252"))
    write(folder / "orders.json", orders(events))
    write(folder / "refunds.csv", refunds(events).encode())
    write(folder / "web.ndjson.gz", gzip.compress(web(rng, events), 6, mtime=0))
    write(folder / "mailings.csv.gz", gzip.compress(mailings(events).encode(), 6, mtime=0))
    # Later additions have dice of their own, so that what was there before keeps its bytes.
    write(folder / "firms.csv", firms(random.Random(20261119), people).encode())
    write(folder / "tickets.csv", tickets(random.Random(20261120), people).encode())
    write(folder / "consents.csv", consents(random.Random(20261121), people).encode())
    write(folder / "bounces.csv", bounces(random.Random(20261122), people).encode())
    write(folder / "staff.csv", ("customer_id\n" + "".join(f"{p['id']}\n" for p in people[::173])).encode())


def write(path: Path, content: bytes) -> None:
    """Replace one file."""
    path.write_bytes(content)


def person(rng: random.Random, number: int) -> dict[str, Any]:
    """One customer with habits that drive everything they do."""
    country, city, prefix = rng.choices(PLACES, PLACE_WEIGHTS)[0]
    width = 5 if country == "DE" else 4
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    joined = FIRST_DAY - timedelta(days=rng.randrange(-380, 1200))
    activity = min(rng.lognormvariate(0, 1.1), 12)
    return {
        "id": f"{number:05d}",
        "first": first,
        "last": last,
        "mail": f"{ascii_name(first)}.{ascii_name(last)}{number}@post.example",
        "born": date(1941, 1, 1) + timedelta(days=rng.randrange(24_000)),
        "country": country,
        "city": city,
        "postal": prefix + "".join(rng.choice("0123456789") for _ in range(width - len(prefix))),
        "joined": max(joined, date(2022, 1, 1)),
        "activity": activity,
        "ends": LAST_DAY if rng.random() < 0.7 else FIRST_DAY + timedelta(days=rng.randrange(60, 400)),
        "likes": rng.sample(list(CATEGORIES), rng.choice((1, 1, 2, 2, 3))),
        "newsletter": rng.random() < 0.55,
        "device": f"d-{rng.getrandbits(40):010x}",
    }


def ascii_name(name: str) -> str:
    """Letters for a mail address."""
    table = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i", "ş": "s", "ł": "l", "ø": "o"})
    return "".join(c for c in name.lower().translate(table) if c.isascii() and c.isalpha()) or "kunde"


def life(rng: random.Random, who: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything one person does: visits, carts, orders, returns, mails."""
    start = max(who["joined"], FIRST_DAY)
    if start > LAST_DAY:
        return
    visits = round(who["activity"] * 3.9 * (who["ends"] - start).days / 365) if who["ends"] > start else 0
    for _ in range(visits):
        day = start + timedelta(days=rng.randrange((who["ends"] - start).days + 1))
        if rng.random() < SEASON.get(day.month, 1.0) / 1.3:
            yield from visit(rng, who, day)
    if who["newsletter"]:
        day = start
        while day <= LAST_DAY:
            if day.weekday() == 3 and day.day <= 7:
                yield from mailing(rng, who, day)
            day += timedelta(days=1)


def visit(rng: random.Random, who: dict[str, Any], day: date) -> Iterator[dict[str, Any]]:
    """One session on the site, now and then with a cart, an order and a return."""
    now = datetime(
        day.year, day.month, day.day, rng.randrange(7, 23), rng.randrange(60), rng.randrange(60), tzinfo=BERLIN
    )
    cart = f"c{rng.getrandbits(36):09x}"
    yield event(rng, who, "page_viewed", now, section="start", device=rng.choice(("mobil", "desktop", "tablet")))
    if rng.random() < 0.15:
        now += timedelta(seconds=rng.randrange(5, 60))
        yield event(rng, who, "products_searched", now, query=rng.choice(SEARCHES), results=rng.randrange(0, 80))
    added: list[dict[str, Any]] = []
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        now += timedelta(seconds=rng.randrange(8, 240))
        item = product(rng, who)
        yield event(rng, who, "product_viewed", now, **item)
        if rng.random() < 0.24:
            now += timedelta(seconds=rng.randrange(3, 90))
            item["quantity"] = rng.choice((1, 1, 1, 2))
            added.append(item)
            yield event(rng, who, "product_added", now, cart_id=cart, **item)
    if added and rng.random() < 0.58 and who["joined"] <= day:
        now += timedelta(seconds=rng.randrange(60, 900))
        yield from order(rng, who, now, added)


def product(rng: random.Random, who: dict[str, Any]) -> dict[str, Any]:
    """One article, mostly of a category the person likes."""
    category = rng.choice(who["likes"]) if rng.random() < 0.75 else rng.choice(list(CATEGORIES))
    number = int(rng.paretovariate(1.1)) % 60
    cents = CATEGORIES[category] * 100 - 1 + (number % 9) * 500
    return {"product_id": f"{category[:2].upper()}-{number:03d}", "category": category, "price": cents}


def order(
    rng: random.Random, who: dict[str, Any], now: datetime, items: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """An order and, for some, a return two to three weeks later."""
    number = f"B-{rng.getrandbits(32):08x}"
    coupon = rng.choice(("HERBST10", "WILLKOMMEN", "TREUE15")) if rng.random() < 0.18 else None
    value = sum(i["price"] * i["quantity"] for i in items)
    channel = "filiale" if rng.random() < 0.12 else "web"
    yield event(
        rng, who, "order_completed", now, order_id=number, value=value, coupon=coupon, channel=channel, items=items
    )
    if rng.random() < 0.13:
        later = now + timedelta(days=rng.randrange(4, 24), seconds=rng.randrange(40_000))
        if later.date() <= LAST_DAY:
            back = rng.choice(items)
            yield event(
                rng, who, "order_refunded", later, order_id=number, value=back["price"], reason=rng.choice(REASONS)
            )


def mailing(rng: random.Random, who: dict[str, Any], day: date) -> Iterator[dict[str, Any]]:
    """The monthly newsletter: delivered, perhaps opened, perhaps clicked."""
    now = datetime(day.year, day.month, day.day, 7, 30, rng.randrange(60), tzinfo=BERLIN)
    name = f"news-{day:%Y-%m}"
    yield event(rng, who, "email_delivered", now, mailing_id=name)
    if rng.random() < 0.22 + 0.03 * who["activity"]:
        now += timedelta(minutes=rng.randrange(1, 2_000))
        yield event(rng, who, "email_opened", now, mailing_id=name)
        if rng.random() < 0.3:
            yield event(rng, who, "email_clicked", now + timedelta(seconds=rng.randrange(2, 90)), mailing_id=name)


def event(rng: random.Random, who: dict[str, Any], kind: str, at: datetime, **properties: Any) -> dict[str, Any]:
    """One event of one person."""
    return {"id": f"{rng.getrandbits(48):012x}", "kind": kind, "who": who, "at": at, "properties": properties}


def euro(cents: int) -> str:
    """German decimal comma and thousands point."""
    return f"{cents / 100:,.2f}".translate(str.maketrans(",.", ".,"))


def customers(rng: random.Random, people: list[dict[str, Any]]) -> str:
    """The CRM export as German Excel writes it; a changed tier is a second row with a later date."""
    head = (
        "Kundennr;Vorname;Nachname;E-Mail;Geburtstag;PLZ;Ort;Land;Kunde seit;Newsletter;Stufe;Punkte;Interessen;Stand"
    )
    rows = []
    for p in people:
        tier = min(int(p["activity"] / 2.2), 2)
        steps = [(TIERS[tier], p["joined"])]
        if tier and rng.random() < 0.5:
            changed = LAST_DAY - timedelta(days=rng.randrange(2, 300))
            steps = [(TIERS[tier - 1], p["joined"]), (TIERS[tier], max(changed, p["joined"] + timedelta(days=1)))]
        for name, day in steps:
            first, last = latin(p["first"]), latin(p["last"])
            likes = "" if rng.random() < 0.05 else "|".join(p["likes"])
            born = "" if rng.random() < 0.08 else f"{p['born']:%d.%m.%Y}"
            news = "ja" if p["newsletter"] else rng.choice(("nein", "nein", ""))
            points = f"{int(p['activity'] * 431):,}".replace(",", ".")
            rows.append(
                f"{p['id']};{first};{last};{p['mail']};{born};{p['postal']};{p['city']};{p['country']};"
                f"{p['joined']:%d.%m.%Y};{news};{name};{points};{likes};{day:%d.%m.%Y} 03:00"
            )
    rows[40] = rows[40].replace(rows[40].split(";")[8], "31.02.2025", 1)
    rows[700] = rows[700].replace(";bronze;", ";bronze;viele;").replace(";viele;", ";viele", 1)
    rows.insert(901, "00902;Ohne;Ende")
    rows.insert(1200, rows[1199])
    rows.insert(1500, ";Niemand;Unbekannt;;;;;DE;01.01.2026;ja;bronze;0;;01.01.2026 03:00")
    return "\r\n".join((head, *rows)) + "\r\n"


def latin(name: str) -> str:
    """What a CRM on code page 1252 can hold."""
    table = str.maketrans({"ı": "i", "ş": "s", "ł": "l", "Ł": "L"})
    return name.translate(table)


def orders(events: list[dict[str, Any]]) -> bytes:
    """The shop's API export: records below `data.orders`, each with its lines."""
    found = [
        {
            "id": e["properties"]["order_id"],
            "created_at": e["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "customer": {"id": e["who"]["id"], "country": e["who"]["country"]},
            "total": f"{e['properties']['value'] / 100:.2f}",
            "coupon": e["properties"]["coupon"],
            "channel": e["properties"]["channel"],
            "lines": [
                {
                    "sku": i["product_id"],
                    "category": i["category"],
                    "quantity": i["quantity"],
                    "price": f"{i['price'] / 100:.2f}",
                }
                for i in e["properties"]["items"]
            ],
        }
        for e in events
        if e["kind"] == "order_completed"
    ]
    found[30]["total"] = "n/a"
    found.insert(100, found[99])
    lines = ",\n".join(json.dumps(o, ensure_ascii=False) for o in found)
    return f'{{"exported": "2026-11-19", "data": {{"orders": [\n{lines}\n]}}}}\n'.encode()


def refunds(events: list[dict[str, Any]]) -> str:
    """Returns from the merchandise system: local times, decimal comma."""
    out = io.StringIO()
    out.write("Beleg;Kundennr;Bestellung;Betrag;Grund;Datum\n")
    for number, e in enumerate((e for e in events if e["kind"] == "order_refunded"), start=1):
        p = e["properties"]
        booked = f"{e['at']:%d.%m.%Y %H:%M:%S}"
        out.write(f"R{number:05d};{e['who']['id']};{p['order_id']};{euro(p['value'])};{p['reason']};{booked}\n")
    return out.getvalue()


def web(rng: random.Random, events: list[dict[str, Any]]) -> bytes:
    """The tracking log: one JSON object a line; a third of the visits are not logged in."""
    kinds = {"page_viewed", "products_searched", "product_viewed", "product_added"}
    lines: list[str] = []
    for e in events:
        if e["kind"] not in kinds:
            continue
        anonymous = int(e["who"]["device"][2:], 16) % 3 == 0 and e["at"].day % 2 == 0
        properties = dict(e["properties"])
        if "price" in properties:
            properties["price"] = properties["price"] / 100
        record = {
            "message_id": e["id"],
            "event": e["kind"],
            "sent_at": e["at"].isoformat(),
            "user_id": None if anonymous else e["who"]["id"],
            "anonymous_id": e["who"]["device"],
            "properties": properties,
        }
        lines.append(json.dumps(record, ensure_ascii=False))
        if rng.random() < 0.004:
            lines.append(lines[-1])
    lines[500] = lines[500][: len(lines[500]) // 2]
    lines[9_000] = lines[9_000].replace('"sent_at": "20', '"sent_at": "gestern 20')
    return ("\n".join(lines) + "\n").encode()


def mailings(events: list[dict[str, Any]]) -> str:
    """The mail tool's export: epoch seconds."""
    out = io.StringIO()
    out.write("event_id,type,recipient_id,mailing,timestamp\n")
    for e in events:
        if e["kind"].startswith("email_"):
            kind = e["kind"].removeprefix("email_")
            out.write(f"{e['id']},{kind},{e['who']['id']},{e['properties']['mailing_id']},{int(e['at'].timestamp())}\n")
    return out.getvalue()


def firms(rng: random.Random, people: list[dict[str, Any]]) -> str:
    """Who orders for a company: its name beside the customer number; large firms have many people."""
    names = [f"{first} {kind}" for first in FIRM_NAMES for kind in FIRM_KINDS]
    weights = [1 / (rank + 1) ** 0.7 for rank in range(len(names))]
    rows = [f"{p['id']};{rng.choices(names, weights)[0]}" for p in people if rng.random() < 0.2]
    return "\n".join(("Kundennr;Firma", *rows)) + "\n"


def tickets(rng: random.Random, people: list[dict[str, Any]]) -> str:
    """The help desk's export: a ticket has a row for each state it was in, and a few belong to nobody known."""
    made = []
    for p in people:
        for _ in range(rng.choices((0, 1, 2, 4), (82, 12, 4, 2))[0]):
            day = LAST_DAY - timedelta(days=rng.randrange(200))
            opened = datetime(day.year, day.month, day.day, 8 + rng.randrange(10), rng.randrange(60), tzinfo=BERLIN)
            made.append((opened, p["id"] if rng.random() < 0.97 else "", rng.choice(TOPICS), rng.choice((1, 1, 2, 3))))
    rows = []
    for number, (opened, who, topic, level) in enumerate(sorted(made), start=1):
        states = [("offen", opened)]
        answered = opened + timedelta(hours=rng.randrange(2, 90))
        states += [("beantwortet", answered)] if rng.random() < 0.8 else []
        states += [("erledigt", answered + timedelta(hours=rng.randrange(1, 200)))] if len(states) > 1 else []
        for state, since in states:
            if since.date() <= LAST_DAY:
                start = f"{opened:%d.%m.%Y %H:%M}"
                rows.append(f"T{number:04d};{who};{topic};{level};{state};{start};{since:%d.%m.%Y %H:%M}")
    return "\n".join(("Ticket;Kundennr;Thema;Stufe;Status;Eröffnet;Stand", *rows)) + "\n"


def consents(rng: random.Random, people: list[dict[str, Any]]) -> str:
    """The consent platform's export: sign-ups and confirmations, advertising, withdrawals and objections."""
    rows: list[tuple[datetime, str]] = []

    def add(p: dict[str, Any], at: datetime, action: str, purpose: str = "", **more: str) -> None:
        cells = {"channel": "", "proof": "", "notice": "", "version": "", "ad_user_data": "", "ad_personalization": ""}
        mail = p["mail"] if rng.random() < 0.97 else p["mail"].replace("@", "+shop@")
        rows.append((at, ";".join((mail, f"{at:%Y-%m-%dT%H:%M:%S%z}", action, purpose, *(cells | more).values()))))

    for p in people:
        day = min(max(p["joined"], date(2025, 1, 1)) + timedelta(days=rng.randrange(60)), LAST_DAY - timedelta(days=3))
        at = datetime(day.year, day.month, day.day, rng.randrange(7, 22), rng.randrange(60), tzinfo=BERLIN)
        form = {"channel": "email", "proof": f"form-{rng.randrange(10**6):06d}", "notice": "datenschutz"}
        form["version"] = rng.choice(("3", "3", "4"))
        if p["newsletter"]:
            if rng.random() < 0.04:
                form["proof"] = ""  # moved over from an older system
            add(p, at, "request", "newsletter", **form)
            if rng.random() < 0.9:
                add(p, at + timedelta(minutes=rng.randrange(1, 3000)), "confirm", "newsletter", **form)
        if rng.random() < 0.3:
            answer = ("granted", "denied")
            signals = {"ad_user_data": rng.choice(answer), "ad_personalization": rng.choice(answer)}
            add(p, at, "grant", "ads", **(form | {"channel": "ads"} | signals))
        if rng.random() < 0.06:
            late = at + timedelta(days=rng.randrange(2, 300))
            late = min(late, datetime(2026, 11, 17, 9, tzinfo=BERLIN))
            word, purpose = rng.choice((("withdraw", "newsletter"), ("withdraw", ""), ("object_marketing", "")))
            add(p, late, word, purpose)
    rows.append((datetime(2026, 11, 17, tzinfo=BERLIN), "kein-kontakt;2026-11-17;grant;newsletter;email;;;;;"))
    head = "E-Mail;Zeitpunkt;Aktion;Zweck;Kanal;Nachweis;Hinweis;Hinweis-Version;ad_user_data;ad_personalization"
    return "\n".join((head, *(row for _, row in sorted(rows)))) + "\n"


def bounces(rng: random.Random, people: list[dict[str, Any]]) -> str:
    """The mailing service's export of bounces and complaints."""
    rows = []
    for p in people:
        if p["newsletter"] and rng.random() < 0.03:
            day = LAST_DAY - timedelta(days=rng.randrange(2, 200))
            kind = rng.choice(("HardBounce", "HardBounce", "SoftBounce", "SpamComplaint"))
            rows.append(f"{kind},{p['mail'].upper() if rng.random() < 0.2 else p['mail']},{day}T06:30:00Z")
    return "\n".join(("Type,Email,BouncedAt", *sorted(rows))) + "\n"


DIRT = """
customers.csv   code page 1252, semicolons, German dates and thousands; 31 February; one row with a field too few; one
                row cut off; one row twice; one row without a customer number; postal codes with leading zeros
orders.json     one total `n/a`, one order twice, times in UTC
refunds.csv     decimal comma, local times without zone (an hour in October happens twice)
web.ndjson.gz   repeated deliveries, one line cut in half, one time that is no time, anonymous visits
mailings.csv.gz epoch seconds
tickets.csv     a row for each state of a ticket; some tickets name nobody
consents.csv    unconfirmed and unproved sign-ups, other spellings of addresses, one row without an address
bounces.csv     addresses in capitals
"""

if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
