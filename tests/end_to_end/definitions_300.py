"""A repository with 300 definitions: those of a real shop, and one for each of its countries and best articles."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
from end_to_end.program import ok

HERE = Path(__file__).resolve().parent / "real" / "online_retail"
DEFINITIONS, TESTED, PROPOSED = 300, 120, 3
AS_OF = "2011-12-10"
"""The day after the last invoice."""
_COUNTRY = "{event: order_item, where: {country: $}, "
_ARTICLE = "{event: order_item, where: {stock_code: $, quantity: {above: 0}}, "
_OF_COUNTRY = (
    ("buyers_in", "Two invoices or more from $ in half a year.",
     f"{_COUNTRY}within_last: 180 days, distinct: {{of: invoice, at_least: 2}}}}"),
    ("spenders_in", "Bought for a hundred pounds or more from $ in a year.",
     f"{_COUNTRY}within_last: 365 days, sum: {{of: value, at_least: 100}}}}"),
    ("quiet_in", "Known from $, and not seen there for ninety days.", f"{_COUNTRY}last: {{before: 90 days ago}}}}"),
)  # fmt: skip
_OF_ARTICLE = (
    ("fans_of", "Bought article $ three times in half a year.",
     f"{_ARTICLE}within_last: 180 days, count: {{at_least: 3}}}}"),
    ("sent_back", "Sent article $ back in the last year.",
     f"{_ARTICLE.replace('above', 'below')}within_last: 365 days}}"),
    ("stock_up", "Bought two dozen of article $ in ninety days.",
     f"{_ARTICLE}within_last: 90 days, sum: {{of: quantity, at_least: 24}}}}"),
)  # fmt: skip


def repository(shared: Path, folder: Path) -> Path:
    """A Git repository with one commit on `main`: 300 definitions, tests of a part, and the real sources."""
    data = shared / "datasets" / "online_retail"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("sql*", "views.sql"))
    (folder / "data").symlink_to(data, target_is_directory=True)
    for path in (folder / "segments").glob("*.yaml"):
        head, _, rest = path.read_text("utf-8").partition("\n")
        described = rest if "description:" in rest else f"description: The shop's own segment {path.stem}.\n{rest}"
        path.write_text(f"{head}\nowner: crm@shop.example\n{described}", "utf-8")
    missing = DEFINITIONS - len(list((folder / "segments").glob("*.yaml")))
    made = dict(_segments(data))
    for name, (about, where) in list(made.items())[:missing]:
        text = f"segment: {name}\ndescription: {about}\nowner: crm@shop.example\nwhere: {where}\n"
        (folder / "segments" / f"{name}.yaml").write_text(text, "utf-8")
    (folder / "tests").mkdir()
    for name in list(made)[:TESTED]:
        (folder / "tests" / f"{name}.yaml").write_text(_cases(name, made[name][1]), "utf-8")
    for name in list(made)[TESTED : TESTED + PROPOSED]:
        ok("test", "--generate", name, "-o", f"tests/{name}.yaml", cwd=folder)
    (folder / ".gitignore").write_text(".segctl/\ndata\n", "utf-8")
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "all definitions")
    return folder


def git(folder: Path, *words: str) -> None:
    """One call of Git that must succeed."""
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, message: str) -> None:
    """Everything in the folder as a commit."""
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@shop.example", "commit", "-q", "-m", message)


def _segments(data: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Name, description and condition: three per country, then three per article."""
    rows = f"read_parquet('{data / 'online_retail.parquet'}')"
    most = "GROUP BY 1 ORDER BY count(*) DESC, 1"
    # Countries without a single customer number stand in no profile; lint says so once there are data.
    countries = _first(f"SELECT Country FROM {rows} WHERE CustomerID IS NOT NULL {most}")
    articles = _first(f"SELECT StockCode FROM {rows} WHERE StockCode SIMILAR TO '[0-9]{{5}}[A-Z]?' {most} LIMIT 60")
    for values, shapes in ((countries, _OF_COUNTRY), (articles, _OF_ARTICLE)):
        for value in values:
            for begin, about, where in shapes:
                name = f"{begin}_{value.lower().replace(' ', '_')}"
                yield name, (about.replace("$", value), where.replace("$", json.dumps(value)))


def _first(sql: str) -> list[str]:
    """The first column of a query."""
    return [str(row[0]) for row in duckdb.sql(sql).fetchall()]


def _cases(name: str, where: str) -> str:
    """Two profiles: one whose events are enough, and one of whom nothing is known."""
    key = "country" if "country" in where else "stock_code"
    value = re.split("[,}]", where.partition(f"{{{key}: ")[2])[0]
    days = 100 if "90 days ago" in where else 10
    quantity = -1 if "below: 0" in where else 30
    event = f"{{at: {days} days ago, {key}: {value}, quantity: {quantity}, value: 60, invoice: "
    events = ", ".join(f"{event}'{number}'}}" for number in range(3))
    others = "unknown" if "last: {" in where else "non_members"
    return (
        f"cases:\n  - case: enough and nothing for {name}\n    given:\n      enough: {{order_item: [{events}]}}\n"
        f"      nothing: {{}}\n    expect:\n      {name}: {{members: [enough], {others}: [nothing]}}\n"
    )
