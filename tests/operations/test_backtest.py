"""Rules over past dates: dates, sizes and churn, against sizes counted by hand and by `size --as-of`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from end_to_end.program import document, ok, run

from segctl.model.errors import UsageError
from segctl.operations.backtest import MOST_DATES, dates_of

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def days(first: str | None, last: str | None, every: str, zone: str = "UTC") -> list[str]:
    """The dates by day."""
    return [f"{date:%Y-%m-%d}" for date in dates_of(first, last, every, now=NOW, zone=zone)[0]]


@pytest.mark.parametrize(
    ("first", "last", "every", "expected"),
    [
        ("2026-01-01", "2026-01-15", "week", ["2026-01-01", "2026-01-08", "2026-01-15"]),
        ("2026-01-01", "2026-01-14", "week", ["2026-01-01", "2026-01-08"]),
        ("2026-01-31", "2026-04-30", "month", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2024-02-29", "2026-03-01", "1 year", ["2024-02-29", "2025-02-28", "2026-02-28"]),
        ("2026-01-01", "2026-01-01", "2 days", ["2026-01-01"]),
        ("2026-01-01 06:00", "2026-01-01 18:00", "6 hours", ["2026-01-01"] * 3),
    ],
)
def test_dates(first: str, last: str, every: str, expected: list[str]) -> None:
    assert days(first, last, every) == expected


def test_twelve_steps_that_end_now_are_the_default() -> None:
    found = dates_of(None, None, "week", now=NOW, zone=BERLIN)[0]

    assert (len(found), found[-1]) == (12, NOW)


def test_the_clock_of_the_zone_is_kept_through_its_changes() -> None:
    found = dates_of("2026-03-22", "2026-04-05", "week", now=NOW, zone=BERLIN)[0]

    # The end of a local day: 23:00 in winter, 22:00 in summer; clocks change on 29 March.
    assert [date.hour for date in found] == [22, 21, 21]


@pytest.mark.parametrize(
    ("first", "last", "every", "code"),
    [
        ("2026-02-01", "2026-01-01", "week", "SEG576"),
        ("2026-01-01", None, "sometimes", "SEG576"),
        ("2026-01-01", None, "2 minutes", "SEG576"),
        ("soon", None, "week", "SEG501"),
        ("1990-01-01", None, "day", "SEG577"),
    ],
)
def test_dates_that_make_no_sense(first: str, last: str | None, every: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        days(first, last, every)

    assert caught.value.code == code


def test_as_many_dates_as_allowed_are_allowed() -> None:
    assert len(days("2026-01-01 00:00", "2026-02-11 15:00", "hour")) == MOST_DATES


# --- Through the program ----------------------------------------------------------------------------------
FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\nevents: {order_completed: {}}\n",
    "sources/orders.yaml": "source: orders\npath: orders.csv\nkey: {customer_id: nr}\n"
    "events: [{event: order_completed, time: am}]\n",
    # A buys on the 1st and again on the 20th, B on the 3rd, C on the 9th.
    "orders.csv": "nr,am\nA,2026-01-01 12:00\nB,2026-01-03 12:00\nC,2026-01-09 12:00\nA,2026-01-20 12:00\n",
    "segments/recent.yaml": "segment: recent\nwhere: {event: order_completed, within_last: 7 days}\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    ok("ingest", cwd=folder)
    return folder


def test_sizes_and_churn_of_a_rule(shop: Path) -> None:
    found = document(
        "plan", "recent", "--backtest", "--from", "2026-01-01", "--to", "2026-01-26", "--every", "5 days", cwd=shop
    )

    rows = [(row["as_of"][:10], row["members"], row["entered"], row["left"], row["churn"]) for row in found["data"]]
    # An order at noon counts until the end of the sixth day after it.
    assert rows == [
        ("2026-01-01", 1, None, None, None),  # A
        ("2026-01-06", 2, 1, 0, 0.0),  # A B
        ("2026-01-11", 1, 1, 2, 1.0),  # C
        ("2026-01-16", 0, 0, 1, 1.0),  # nobody
        ("2026-01-21", 1, 1, 0, None),  # A again
        ("2026-01-26", 1, 0, 0, 0.0),  # A
    ]
    assert found["sections"]["summary"][0]["churn"] == 0.5
    assert found["sections"]["summary"][0]["members"] == [1, 2, 1, 0, 1, 1]
    assert found["sections"]["summary"][0]["ever"] == 3
    assert found["sections"]["summary"][0]["returned"] == 1
    assert found["sections"]["summary"][0]["always"] == 0


def test_every_date_is_what_size_says_of_it(shop: Path) -> None:
    found = document("plan", "recent", "--backtest", "--to", "2026-01-16", "--from", "2026-01-08", "--every",
                     "4 days", cwd=shop)  # fmt: skip

    for row in found["data"]:
        size = document("size", "recent", "--as-of", row["as_of"], cwd=shop)
        assert size["facts"]["members"] == row["members"], row


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "2026-01-01"],
        ["--backtest", "--against", "main"],
        ["--backtest", "--as-of", "2026-01-01"],
        ["--backtest", "-f", "ids"],
        ["nobody", "--backtest"],
    ],
)
def test_options_that_do_not_go_together(shop: Path, arguments: list[str]) -> None:
    assert run("plan", *arguments, cwd=shop).returncode == 2


def test_no_member_at_any_date(shop: Path) -> None:
    found = document("plan", "--backtest", "--from", "2020-01-01", "--to", "2020-03-01", "--every", "month", cwd=shop)

    assert [row["members"] for row in found["data"]] == [0, 0, 0]
    assert found["sections"]["summary"][0]["churn"] is None
