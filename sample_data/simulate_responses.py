"""Make orders that answer a campaign on the sample shop, with a truth that a report on it must find.

    segctl experiment assign NAME -f csv -o people.csv
    python data/simulate_responses.py people.csv --truth effect

Writes `orders_campaign.json`, in the form of the shop's own orders, and with `--truth broken` also
`assignments_broken.csv`. One seed and no clock: the same people give the same bytes.

Truths:
    none    every arm buys alike.
    effect  whoever is told something buys about twice as often.
    broken  every arm buys alike, but a colleague has moved good customers into the arm that is told something, so
            the arms are not comparable, and the split is not the one that was planned.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path

BASE, EFFECT = 0.12, 0.26
"""Share of people who buy within the window, untold and told."""
WINDOW = timedelta(days=14)
MOVED = 0.45
"""Share of the control group's buyers and others that the colleague has moved, of buyers twice as many."""


def main(arguments: list[str]) -> None:
    """Read who is in which arm, and write what they buy."""
    asked = _asked(arguments)
    people = list(csv.DictReader(asked.people.read_text(encoding="utf-8-sig").splitlines()))
    if not people or not {"profile_id", "arm"} <= people[0].keys():
        raise SystemExit(f"{asked.people}: expected columns profile_id and arm, and somebody in them")
    rng = random.Random(asked.seed)
    orders = []
    for person in sorted(people, key=lambda row: row["profile_id"]):
        is_told = person["arm"] != asked.control
        buys = rng.random() < (EFFECT if asked.truth == "effect" and is_told else BASE)
        person["buys"] = "yes" if buys else ""
        # As many draws for everybody, so that one person's luck is nobody else's.
        order = _order(rng, person["profile_id"], _begin(person, asked.begin))
        if buys:
            orders.append(order)
    asked.out.mkdir(parents=True, exist_ok=True)
    document = {"exported": "2026-11-30", "data": {"orders": orders}}
    (asked.out / "orders_campaign.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(f"{len(orders)} of {len(people)} people buy: {asked.out / 'orders_campaign.json'}")
    if asked.truth == "broken":
        _break(rng, people, asked)


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Orders that answer a campaign on the sample shop.")
    parser.add_argument("people", type=Path, help="CSV with profile_id and arm, and exposed_at where it is known")
    parser.add_argument("--truth", choices=("none", "effect", "broken"), default="effect")
    parser.add_argument("--control", default="control", help="the arm that is told nothing")
    parser.add_argument("--begin", default="2026-11-20T09:00:00+00:00", help="where the file has no exposed_at")
    parser.add_argument("--out", type=Path, default=Path("data"))
    parser.add_argument("--seed", type=int, default=20261120)
    return parser.parse_args(arguments)


def _begin(person: dict[str, str], otherwise: str) -> datetime:
    return datetime.fromisoformat(person.get("exposed_at") or otherwise)


def _order(rng: random.Random, customer: str, begin: datetime) -> dict[str, object]:
    at = begin + timedelta(seconds=rng.randrange(3600, int(WINDOW.total_seconds()) - 3600))
    price = 35 + 5 * rng.randrange(20)
    return {
        "id": f"K-{rng.getrandbits(32):08x}",
        "created_at": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "customer": {"id": customer, "country": "DE"},
        "total": f"{price}.00",
        "coupon": None,
        "channel": "web",
        "lines": [{"sku": "SP-001", "category": "Sport", "quantity": 1, "price": f"{price}.00"}],
    }


def _break(rng: random.Random, people: list[dict[str, str]], asked: argparse.Namespace) -> None:
    """Buyers of the control group go to another arm more often than others do."""
    told = sorted({person["arm"] for person in people} - {asked.control})
    path = asked.out / "assignments_broken.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("profile_id", "arm", "exposed_at"))
        for person in people:
            moved = rng.random() < MOVED * (1 if person["buys"] else 0.5)
            arm = told[0] if moved and person["arm"] == asked.control else person["arm"]
            out.writerow((person["profile_id"], arm, _begin(person, asked.begin).isoformat()))
    print(f"who is said to have been in which arm: {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
