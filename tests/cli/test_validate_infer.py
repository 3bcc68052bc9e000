"""`segctl validate infer`: what it proposes, every row keeps; saved, it leaves the rest of the file alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from cli_process import Finished

Run = Callable[..., Finished]
PROJECT = """
segctl: 1
name: shop
identifiers: {customer_id: {class: known}}
traits: {city: text}
"""
SOURCE = """# Die Kunden aus der Kasse
source: crm
path: crm.csv   # jede Nacht neu
key: {customer_id: id}
profiles: {city: ort}
"""
ROWS = "id;name;ort;umsatz;yes\n" + "".join(
    f"{n:05d};Person {n};{'Bonn' if n % 2 else 'Köln'};{n},5;\n" for n in range(200)
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "sources" / "crm.yaml").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "crm.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


def test_the_proposal_is_added_and_the_rest_of_the_file_stays(run: Run, project: Path) -> None:
    done = run("validate", "infer", "crm.csv", "--save", "crm", cwd=project)

    text = (project / "sources" / "crm.yaml").read_text("utf-8")
    assert done.code == 0, done.err
    assert text.startswith(SOURCE)
    assert 'ort: {type: string, enum: [Bonn, "Köln"]}' in text
    assert "Person 1" not in text
    assert "- unique: [id]" in text
    checked = run("validate", "crm", "-f", "json", cwd=project)
    assert checked.code == 0, checked.out
    assert [(row["rows"], row["bad"]) for row in json.loads(checked.out)["data"]] == [(200, 0)]
    (project / "crm.csv").write_text(ROWS + "x;y;Rom;1;\n", encoding="utf-8")
    assert json.loads(run("validate", "crm", "-f", "json", cwd=project).out)["data"][0]["bad"] == 1


def test_what_stands_there_is_never_changed(run: Run, project: Path) -> None:
    run("validate", "infer", "crm.csv", "--save", "crm", cwd=project)
    before = (project / "sources" / "crm.yaml").read_bytes()

    again = run("validate", "infer", "crm.csv", "--save", "crm", cwd=project)

    assert again.code == 2
    assert "SEG621" in again.err
    assert (project / "sources" / "crm.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("empty.csv",), "SEG620"),
        (("crm.csv", "--save", "crn"), "SEG308"),
        (("crm.csv", "-f", "junit"), "SEG623"),
        (("crm.csv", "other.csv"), "SEG623"),
        (("nowhere.csv",), "SEG340"),
        (("crm.csv", "--save", "flow"), "SEG622"),
    ],
)
def test_what_cannot_be(run: Run, project: Path, arguments: tuple[str, ...], code: str) -> None:
    (project / "empty.csv").write_text("a,b\n")
    (project / "sources" / "flow.yaml").write_text(
        "{source: flow, path: crm.csv, key: {customer_id: id}, profiles: {city: ort}}"
    )

    done = run("validate", "infer", *arguments, cwd=project)

    assert done.code == 2
    assert code in done.err
    assert "Traceback" not in done.err


def test_rows_outside_the_sample_count(run: Run, project: Path) -> None:
    rows = ["n,kind"] + [f"{n % 100},a" for n in range(400_000)] + ["x,b"] * 3
    (project / "big.csv").write_text("\n".join(rows) + "\n")

    done = run("validate", "infer", "big.csv", "-f", "json", cwd=project)

    schema = json.loads(done.out)
    (project / "c.json").write_text(done.out)
    assert schema["properties"]["n"].get("type") != "integer"
    assert run("validate", "big.csv", "--contract", "c.json", "--max-bad-rows", "0", cwd=project).code == 0


DATA = (
    "telco_churn/Telco-Customer-Churn.csv",
    "online_retail/online_retail.parquet",
    "completejourney/demographics.csv",
    "completejourney/coupon_redemptions.csv",
    "completejourney/campaigns.csv",
    "completejourney/products.parquet",
)


@pytest.mark.parametrize("name", DATA)
def test_real_data_keep_what_was_learnt_from_them(run: Run, project: Path, shared: Path, name: str) -> None:
    path = shared / "datasets" / name
    if not path.exists():
        pytest.skip(f"{name} is missing")
    done = run("validate", "infer", str(path), "-f", "json", cwd=project)
    (project / "c.json").write_text(done.out)
    schema = json.loads(done.out)

    found = run("validate", str(path), "--contract", "c.json", "--max-bad-rows", "0", "-f", "json", cwd=project)

    rows = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path)
    assert found.code == 0, found.out
    [row] = json.loads(found.out)["data"]
    assert (row["rows"], row["bad"]) == (rows.select(pl.len()).collect().item(), 0)
    typed = [part for part in schema["properties"].values() if "type" in part]
    assert len(typed) == len(schema["properties"]) > 1


def test_ndjson_with_nulls_and_nested_values(run: Run, project: Path) -> None:
    rows = [
        {"id": n, "tags": ["a"], "at": {"x": 1}, "gone": None if n % 3 else 5, "mixed": n if n % 2 else "x"}
        for n in range(90)
    ]
    (project / "rows.ndjson").write_text("\n".join(map(json.dumps, rows)) + "\n")

    done = run("validate", "infer", "rows.ndjson", "-f", "json", cwd=project)
    (project / "c.json").write_text(done.out)

    properties = json.loads(done.out)["properties"]
    assert properties["gone"]["type"] == ["integer", "null"]
    assert properties["tags"] == {"type": "array"}
    assert "mixed" not in properties
    assert run("validate", "rows.ndjson", "--contract", "c.json", "--max-bad-rows", "0", cwd=project).code == 0


def test_parquet_types(run: Run, project: Path) -> None:
    pl.DataFrame({"a": [1.5, None], "t": [True, False]}).write_parquet(project / "rows.parquet")

    properties = json.loads(run("validate", "infer", "rows.parquet", "-f", "json", cwd=project).out)["properties"]

    assert properties == {"a": {"type": "number", "minimum": 0, "maximum": 2}, "t": {"type": "boolean"}}
