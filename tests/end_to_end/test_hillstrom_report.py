"""Hillstrom's e-mail test through the command line: what was published of it comes out, to the digit.

64,000 customers got a mail with men's goods, one with women's, or none; visits, orders and spend of two weeks followed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from end_to_end.program import document, ok

EXPOSED, AFTER, BEFORE = "2008-03-20T08:00:00Z", "2008-03-25T10:00:00Z", "2008-01-10T10:00:00Z"
ARMS = {"No E-Mail": "control", "Mens E-Mail": "mens", "Womens E-Mail": "womens"}
FILES = {
    "segctl.yaml": """segctl: 1
name: hillstrom
timezone: America/New_York
identifiers: {customer_id: {class: known}}
traits: {channel: text}
events:
  visit: {}
  order: {properties: {value: {type: money, unit: USD}}}
""",
    "sources/customers.yaml": """source: customers
kind: file
path: customers.csv
key: {customer_id: customer_id}
profiles: {channel: channel}
""",
    "sources/events.yaml": """source: events
kind: file
path: events.csv
key: {customer_id: customer_id}
events:
  - event: {column: event}
    time: at
    id: id
    properties: {value: value}
""",
    "segments/customers.yaml": "segment: customers\nwhere: {event: order, count: {at_least: 1}}\n",
    "experiments/mails.yaml": """experiment: mails
segment: customers
arms:
  control: {weight: 1, send: nothing}
  mens: {weight: 1, cost: 0.01}
  womens: {weight: 1, cost: 0.01}
window: 14 days
strata: [channel]
metrics:
  visited: {event: visit, role: primary}
  bought: {event: order}
  spent: {event: order, sum: {of: value}, money: true, before: 1 years}
size: 64000
money: {margin: 40 %, currency: USD}
""",
}


@pytest.fixture(scope="module")
def report(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The report, after ingesting customers and events and taking over who got which mail."""
    folder = tmp_path_factory.mktemp("hillstrom")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    _write_data(shared / "datasets/hillstrom_email/hillstrom.csv", folder)
    ok("ingest", cwd=folder)
    taken = document("experiment", "assign", "mails", "--from", "arms.csv", cwd=folder)
    assert [(row["arm"], row["people"]) for row in taken["data"]] == [
        ("control", 21306), ("mens", 21307), ("womens", 21387)
    ]  # fmt: skip
    found: Mapping[str, Any] = json.loads(ok("report", "ab", "mails", "--json", cwd=folder))["report"]
    return found


def _write_data(path: Path, folder: Path) -> None:
    rows = pl.read_csv(path, infer_schema_length=None).with_row_index("n")
    rows = rows.with_columns(customer_id=pl.format("c{}", "n"), arm=pl.col("segment").replace_strict(ARMS))
    rows.select("customer_id", "channel").write_csv(folder / "customers.csv")
    rows.select("customer_id", "arm", exposed_at=pl.lit(EXPOSED), stratum="history_segment").write_csv(
        folder / "arms.csv"
    )
    nothing = pl.lit(None, pl.Float64)
    events = [
        rows.filter(pl.col(flag) == 1).select(
            "customer_id", event=pl.lit(kind), at=pl.lit(at), value=value, id=pl.format(f"{at}{kind}{{}}", "n")
        )
        for flag, kind, at, value in (
            ("visit", "visit", AFTER, nothing), ("conversion", "order", AFTER, pl.col("spend")),
        )
    ]  # fmt: skip
    earlier = rows.select(
        "customer_id", event=pl.lit("order"), at=pl.lit(BEFORE), value="history", id=pl.format("before{}", "n")
    )
    pl.concat([*events, earlier]).write_csv(folder / "events.csv")


def golden(shared: Path, name: str) -> dict[str, float]:
    text = (shared / f"golden/experiments/hillstrom-{name}.json").read_text()
    return {key: one["value"] for key, one in json.loads(text)["expected"].items()}


def effect(report: Mapping[str, Any], metric: str, arm: str) -> Mapping[str, Any]:
    found = next(one for one in report["metrics"] if one["name"] == metric)
    return next(one for one in found["effects"] if one["arm"] == arm)


@pytest.mark.parametrize("arm", ["mens", "womens"])
@pytest.mark.parametrize(("metric", "case"), [("visited", "visit"), ("bought", "conversion")])
def test_rates_are_those_published(report: Mapping[str, Any], shared: Path, metric: str, case: str, arm: str) -> None:
    want, found = golden(shared, case), effect(report, metric, arm)["compared"]

    got = {
        "rate.control": found["control"], "rate.treatment": found["treatment"], "diff": found["difference"]["estimate"],
        "z_pooled": found["statistic"], "p_pooled": found["p"], "lift": found["lift"]["estimate"],
        "diff_ci_score.low": found["difference"]["low"], "diff_ci_score.high": found["difference"]["high"],
        "lift_ci_koopman.low": found["lift"]["low"], "lift_ci_koopman.high": found["lift"]["high"],
    }  # fmt: skip
    assert got == pytest.approx({name: want[f"{arm}.{name}"] for name in got}, rel=1e-7)


@pytest.mark.parametrize("arm", ["mens", "womens"])
def test_spend_is_that_published(report: Mapping[str, Any], shared: Path, arm: str) -> None:
    want, found = golden(shared, "spend"), effect(report, "spent", arm)["compared"]

    got = {
        "diff": found["difference"]["estimate"], "se": found["se"], "df": found["df"], "t": found["statistic"],
        "p": found["p"], "diff_ci.low": found["difference"]["low"], "diff_ci.high": found["difference"]["high"],
        "lift": found["lift"]["estimate"],
    }  # fmt: skip
    assert got == pytest.approx({name: want[f"{arm}.{name}"] for name in got}, rel=1e-7)


def test_what_they_spent_before_takes_next_to_no_variance(report: Mapping[str, Any], shared: Path) -> None:
    want, found = golden(shared, "cuped-history"), effect(report, "spent", "mens")

    adjusted = found["also"]["cuped"]
    got = {"diff": adjusted["difference"]["estimate"], "se": adjusted["se"], "p": adjusted["p"],
           "variance_reduction": found["variance_reduction"]}  # fmt: skip
    assert got == pytest.approx({name: want[name] for name in got}, rel=1e-6)
    assert "covariate_useless" in adjusted["flags"]


def test_the_split_is_right_over_all_and_in_every_stratum(report: Mapping[str, Any], shared: Path) -> None:
    found = next(one for one in report["checks"] if one["name"] == "split")

    assert found["level"] == "ok"
    assert found["figures"]["chi2"] == pytest.approx(golden(shared, "srm")["all.chi2"])
    assert found["figures"]["p"] == pytest.approx(golden(shared, "srm")["all.p"])


def test_over_strata_of_past_spend_the_effect_is_the_same(report: Mapping[str, Any], shared: Path) -> None:
    want, found = golden(shared, "strata-visit"), report["groups"][0]

    womens = sorted((one["group"], one["compared"]["difference"]["estimate"])
                    for one in found["groups"] if one["arm"] == "womens")  # fmt: skip
    assert [value for _, value in womens] == pytest.approx([want[f"diff_stratum.{k}"] for k in range(1, 8)])
    stratified = found["stratified"]["womens"]["difference"]["estimate"]
    assert stratified == pytest.approx(want["diff_post_stratified"])
    assert found["reversed"] == []


def test_both_mails_won_and_the_mail_for_men_most(report: Mapping[str, Any]) -> None:
    first = report["headline"]

    assert (first["state"], first["arm"], first["per"], first["is_good"]) == ("more", "mens", 1000, True)
    assert (round(first["control"]), round(first["value"])) == (106, 183)
    assert [one["verdict"] for one in next(m for m in report["metrics"] if m["name"] == "visited")["effects"]] == [
        "better", "better"
    ]  # fmt: skip
    assert [round(one["profit"]["estimate"]) for one in report["money"]] == [6348, 3417]
