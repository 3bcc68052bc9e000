"""The sample files as tables of DuckDB, read by Python alone: what independent SQL asks about the shop."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

BERLIN = ZoneInfo("Europe/Berlin")
AS_OF = datetime(2026, 11, 18, 23, 59, 59, 999_999, tzinfo=BERLIN)
NOW = int(AS_OF.timestamp() * 1_000_000)
DAY = 86_400_000_000
EVENT = "who VARCHAR, ts BIGINT, day DATE, hour INTEGER"


def database(data: Path, stores: Path, codes: dict[tuple[str, str], tuple[float, float]]) -> Any:
    """Tables customers, orders, items, refunds, web, mails, tickets, stores, codes; instants in microseconds.

    Args:
        data: Folder of the sample files.
        stores: File with the stores.
        codes: Latitude and longitude by country and postal code.
    """
    db = duckdb.connect()
    firms = {row["Kundennr"]: row["Firma"] for row in rows_of(data / "firms.csv", "utf-8")}
    people = [(*person, firms.get(person[0])) for person in customers(data / "customers.csv")]
    columns = "who VARCHAR, born DATE, postal VARCHAR, country VARCHAR, since DATE, news BOOLEAN, tier VARCHAR"
    columns += ", points BIGINT, likes VARCHAR, valid BIGINT, arrival BIGINT, company VARCHAR"
    fill(db, "customers", columns, people)
    orders, items = ordered(data / "orders.json")
    fill(db, "orders", f"{EVENT}, id VARCHAR, cents BIGINT, coupon VARCHAR, channel VARCHAR", orders)
    fill(db, "items", f"{EVENT}, id VARCHAR, category VARCHAR, quantity BIGINT", items)
    fill(db, "refunds", f"{EVENT}, cents BIGINT, reason VARCHAR", refunded(data / "refunds.csv"))
    columns = "kind VARCHAR, id VARCHAR, product VARCHAR, category VARCHAR, device VARCHAR"
    fill(db, "web", f"{EVENT}, {columns}", visited(data / "web.ndjson.gz"))
    fill(db, "mails", f"{EVENT}, kind VARCHAR, mailing VARCHAR, id VARCHAR", mailed(data / "mailings.csv.gz"))
    fill(db, "tickets", "ticket VARCHAR, who VARCHAR, status VARCHAR, opened BIGINT, valid BIGINT, line BIGINT",
         asked(data / "tickets.csv"))  # fmt: skip
    there = [codes[row["country"], row["postal_code"]] for row in rows_of(stores, "utf-8", ",")]
    fill(db, "stores", "lat DOUBLE, lon DOUBLE", there)
    fill(db, "codes", "country VARCHAR, postal VARCHAR, lat DOUBLE, lon DOUBLE", [(*k, *v) for k, v in codes.items()])
    db.execute("CREATE TABLE staff (who VARCHAR)")
    db.executemany(
        "INSERT INTO staff VALUES (?)",
        [[line] for line in stores.with_name("staff.csv").read_text("utf-8").split()[1:]],
    )
    db.execute(VIEWS)
    return db


VIEWS = f"""
CREATE MACRO now() AS {NOW};
CREATE MACRO ago(days) AS {NOW} - days * {DAY};
CREATE VIEW person AS
    SELECT * FROM customers WHERE valid <= now()
    QUALIFY row_number() OVER (PARTITION BY who ORDER BY valid DESC, arrival DESC) = 1;
CREATE VIEW known AS
    SELECT who FROM person UNION SELECT who FROM orders UNION SELECT who FROM web UNION SELECT who FROM mails
    UNION SELECT who FROM refunds;
CREATE VIEW ticket AS
    SELECT * FROM tickets WHERE valid <= now()
    QUALIFY row_number() OVER (PARTITION BY ticket ORDER BY valid DESC, line DESC) = 1;
CREATE VIEW worth AS SELECT who, sum(cents) AS cents, count(*) AS orders, max(ts) AS last FROM orders GROUP BY who;
CREATE MACRO score(worse, people) AS 1 + (5 * worse) // people;
CREATE VIEW rfm AS
    SELECT who, score(rank() OVER (ORDER BY last) - 1, count(*) OVER ()) AS recency,
        score(rank() OVER (ORDER BY orders) - 1, count(*) OVER ()) AS frequency,
        score(rank() OVER (ORDER BY cents) - 1, count(*) OVER ()) AS monetary
    FROM worth;
"""


def fill(db: Any, name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    """A table with these rows."""
    out = io.StringIO()
    csv.writer(out).writerows([["\\N" if value is None else value for value in row] for row in rows])
    db.execute(f"CREATE TABLE {name} ({columns})")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.csv"
        path.write_text(out.getvalue(), encoding="utf-8")
        db.execute(f"COPY {name} FROM '{path}' (HEADER false, NULLSTR '\\N', DELIMITER ',', QUOTE '\"')")


def rows_of(path: Path, encoding: str, delimiter: str = ";") -> list[dict[str, str]]:
    """Rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding=encoding)), delimiter=delimiter))


def moment(at: datetime) -> tuple[int, str, int]:
    """Microseconds, local day and local hour of an instant."""
    local = at.astimezone(BERLIN)
    return int(at.timestamp()) * 1_000_000, f"{local:%Y-%m-%d}", local.hour


def german(text: str, form: str = "%d.%m.%Y") -> datetime:
    """A German date as a local time."""
    return datetime.strptime(text, form).replace(tzinfo=BERLIN)


def customers(path: Path) -> list[tuple[Any, ...]]:
    """The versions of customers whose rows are good."""
    found = []
    for number, row in enumerate(rows_of(path, "cp1252")):
        try:
            since, valid = german(row["Kunde seit"]), german(row["Stand"], "%d.%m.%Y %H:%M")
            points = int(row["Punkte"].replace(".", ""))
        except (ValueError, TypeError, AttributeError):
            continue
        if not row["Kundennr"]:
            continue
        born = f"{german(row['Geburtstag']):%Y-%m-%d}" if row["Geburtstag"] else None
        news = {"ja": True, "nein": False, "": None}[row["Newsletter"]]
        found.append((row["Kundennr"], born, row["PLZ"], row["Land"], f"{since:%Y-%m-%d}", news, row["Stufe"], points,
                      row["Interessen"] or None, moment(valid)[0], number))  # fmt: skip
    return found


def ordered(path: Path) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Orders, each once, and their lines."""
    orders: dict[str, tuple[Any, ...]] = {}
    items: dict[str, list[tuple[Any, ...]]] = {}
    for order in json.loads(path.read_text(encoding="utf-8"))["data"]["orders"]:
        if order["total"] == "n/a":
            continue
        at = moment(datetime.fromisoformat(order["created_at"]))
        who, number = order["customer"]["id"], order["id"]
        cents = round(float(order["total"]) * 100)
        orders[number] = (who, *at, number, cents, order["coupon"], order["channel"])
        items[number] = [(who, *at, number, line["category"], line["quantity"]) for line in order["lines"]]
    return list(orders.values()), [item for lines in items.values() for item in lines]


def refunded(path: Path) -> list[tuple[Any, ...]]:
    """Returns; of an hour that comes twice the first is meant."""
    found = []
    for row in rows_of(path, "utf-8"):
        at = german(row["Datum"], "%d.%m.%Y %H:%M:%S").astimezone(UTC)
        cents = int(row["Betrag"].replace(".", "").replace(",", ""))
        found.append((row["Kundennr"], *moment(at), cents, row["Grund"]))
    return found


def visited(path: Path) -> list[tuple[Any, ...]]:
    """What people who were logged in did, each message once."""
    found: dict[str, tuple[Any, ...]] = {}
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        try:
            record = json.loads(line)
            at = moment(datetime.fromisoformat(record["sent_at"]))
        except ValueError:
            continue
        if record["user_id"] is None:
            continue
        told = record["properties"]
        what = (record["event"], record["message_id"], told.get("product_id"), told.get("category"), told.get("device"))
        found.setdefault(record["message_id"], (record["user_id"], *at, *what))
    return list(found.values())


def mailed(path: Path) -> list[tuple[Any, ...]]:
    """Mails delivered, opened, clicked."""
    text = gzip.decompress(path.read_bytes()).decode()
    return [
        (row["recipient_id"], *moment(datetime.fromtimestamp(int(row["timestamp"]), UTC)), row["type"], row["mailing"],
         row["event_id"])
        for row in csv.DictReader(io.StringIO(text))
    ]  # fmt: skip


def asked(path: Path) -> list[tuple[Any, ...]]:
    """States of tickets."""
    return [
        (row["Ticket"], row["Kundennr"] or None, row["Status"], moment(german(row["Eröffnet"], "%d.%m.%Y %H:%M"))[0],
         moment(german(row["Stand"], "%d.%m.%Y %H:%M"))[0], number)
        for number, row in enumerate(rows_of(path, "utf-8"))
    ]  # fmt: skip
