# ruff: noqa: T201 - a benchmark prints what it measures
"""CPU of `segctl lint` over a project of 1,000 definitions of all kinds, the whole process; target 1.5 s.

python tests/benchmarks/lint.py [--definitions 1000] [--runs 5] [--profile]
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "import sys; sys.argv[0] = 'segctl'; from segctl.cli.main import main; sys.exit(main())"
COUNTRIES = ("DE", "AT", "CH", "FR", "NL", "PL", "IT", "ES")
TEAMS = ("crm", "service", "sales", "marketing", "data")
# Each is one condition; numbers in braces are filled in, so that no two definitions are alike.
LEAVES = (
    "{{trait: country, in: [{c1}, {c2}]}}",
    "{{trait: tier, equals: {tier}}}",
    "{{trait: points, at_least: {n}}}",
    "{{trait: lifetime_value, between: [{n}, {m}]}}",
    "{{trait: birth_date, anniversary: {{within_next: {d} calendar days}}}}",
    "{{trait: customer_since, older_than: {d} days}}",
    "{{trait: city, contains: stadt{d}}}",
    "{{trait: city, matches: '^(Bad|Sankt) [A-Z]{{{d},}}'}}",
    "{{trait: interests, any_of: [Sneaker{d}, Running]}}",
    "{{trait: newsletter, equals: true}}",
    "{{event: order_completed, within_last: {d} days, count: {{at_least: {k}}}}}",
    "{{event: order_completed, since: 2025-0{k}-01, sum: {{of: value, at_least: {n}}}}}",
    "{{event: product_viewed, where: {{category: Cat{d}, price: {{above: {n}}}}}, within_last: {d} days}}",
    "{{event: order_completed, last: {{older_than: {d} days}}}}",
    "{{event: [page_viewed, product_viewed], within_last: {d} days, count: 0}}",
    "{{event: order_completed, share: {{where: {{coupon: {{exists: true}}}}, at_least: {k}0 %}}}}",
    "{{event: order_completed, gap: {{average: {{}}, at_most: {d} days}}}}",
    (
        "sequence: [{{event: product_added, within_last: {d} days}},"
        " {{then: {{event: order_completed, within: {k} days}}}}]"
    ),
    (
        "sequence: [{{event: email_opened, within_last: {d} days}},"
        " {{then_not: {{event: order_completed, within: {k} days}}}}]"
    ),
    "{{list: lists/staff.csv, column: customer_id, identifier: customer_id}}",
    "{{sample: {{percent: {d}}}}}",
    "not: {{segment: {segment}}}",
)


def leaf(pick: random.Random, names: list[str]) -> str:
    """One condition, with a segment that stands before it in the project."""
    text = pick.choice(LEAVES[:16] + LEAVES[17:] if names else LEAVES[:16] + LEAVES[17:-1])
    low = pick.randint(1, 500)
    return text.format(
        c1=pick.choice(COUNTRIES), c2=pick.choice(COUNTRIES), tier=pick.choice(("gold", "silver", "bronze")),
        n=low, m=low + pick.randint(1, 900), d=pick.randint(2, 90), k=pick.randint(1, 9),
        segment=pick.choice(names) if names else "",
    )  # fmt: skip


def tree(pick: random.Random, names: list[str], indent: str) -> str:
    """A condition in block style: one to five leaves mostly, some with an `any` below an `all`."""
    if pick.random() < 0.25:
        return f"{leaf(pick, names)}\n"
    items = [f"{leaf(pick, names)}\n" for _ in range(pick.randint(2, 4))]
    if pick.random() < 0.4:
        inner = "".join(f"{indent}      - {leaf(pick, names)}\n" for _ in range(pick.randint(2, 3)))
        items.append(f"any:\n{inner}")
    return "all:\n" + "".join(f"{indent}  - {item}" for item in items)


def write(root: Path, definitions: int) -> None:
    """The project of `configs/` with so many segments and computed traits, one trait for nine segments."""
    pick = random.Random(7)
    for folder in ("segments", "traits", "lists"):
        (root / folder).mkdir(parents=True)
    (root / "segctl.yaml").write_text((ROOT / "configs/segctl.yaml").read_text())
    (root / "lists/staff.csv").write_text("customer_id\n1\n")
    base = (ROOT / "configs/traits/value.yaml").read_text()
    own = "".join(
        f"  spent_{n}: {{event: order_completed, since: 2025-01-{n % 28 + 1:02}, sum: {{of: value}}}}\n"
        for n in range(definitions // 10)
    )
    (root / "traits/value.yaml").write_text(base + own)
    names: list[str] = []
    for number in range(definitions - definitions // 10):
        name = f"segment_{number:04}"
        text = (
            f"segment: {name}\ntitle: Segment Nummer {number}\n"
            f"description: People of campaign {number}, chosen by rule {number * 7 % 1000}.\n"
            f"owner: {pick.choice(TEAMS)}@shop.example\ntags: [campaign, team_{number % 9}]\n"
            f"where:\n  {tree(pick, names[-40:], '  ')}"
        )
        if number % 5 == 0:
            text += f"keep: {{top: {number + 10}, by: spent_{number % max(1, definitions // 10)}, per: country}}\n"
        folder = root / "segments" / f"team_{number % 9}"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text)
        names.append(name)


def cpu_s(arguments: list[str], cwd: Path) -> tuple[float, str]:
    """CPU seconds of one process, user and system, and what it wrote."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout + done.stderr


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--definitions", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        write(root, options.definitions)
        call = ["-c", SCRIPT, "lint", "-f", "table"]
        if options.profile:
            print(cpu_s(["-m", "cProfile", "-s", "tottime", *call], root)[1][:6000])
            return
        found = [cpu_s(call, root) for _ in range(options.runs)]
        print("\n".join(found[0][1].splitlines()[-3:]))
        times = sorted(seconds for seconds, _ in found)
        print(
            f"{options.definitions} definitions: median {statistics.median(times):.2f} s CPU,"
            f" {times[0]:.2f} to {times[-1]:.2f}"
        )


if __name__ == "__main__":
    main()
