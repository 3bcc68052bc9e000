"""Contracts and checks at ingest: bad rows are set aside with every reason, and the whole may be refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from segctl.operations.ingest.quarantine import stored_rows
from segctl.operations.quarantine.quarantine import bad_rows

if TYPE_CHECKING:
    from conftest import Shop

SOURCE = """
path: crm.csv
key: {customer_id: id}
profiles: {city: ort, points: punkte}
max_bad_rows: 90 %
contract:
  required: [id]
  additionalProperties: false
  properties:
    id: {type: integer}
    ort: {enum: [Köln, Bonn]}
    punkte: {type: integer, maximum: 100}
"""
ROWS = "id,ort,punkte\n1,Köln,5\n2,Rom,999\n3,Bonn,x\n,Bonn,1\n"


def reasons(shop: Shop, name: str) -> list[tuple[int, list[tuple[Any, ...]]]]:
    with shop.workspace() as workspace:
        found = bad_rows(workspace, name)
    keys = ("pointer", "keyword", "expected", "value")
    return [(row["line"], [tuple(d[k] for k in keys) for d in row["details"] if d["keyword"]]) for row in found]


def test_bad_rows_are_set_aside_with_every_reason(shop: Shop) -> None:
    shop.source("crm", SOURCE)
    shop.file("crm.csv", ROWS)

    found = shop.ingest("crm")

    assert (found.new, found.bad) == (1, 3)
    assert reasons(shop, "crm") == [
        (3, [("/ort", "enum", "one of Köln, Bonn", "Rom"), ("/punkte", "maximum", "at most 100", "999")]),
        (4, [("/punkte", "type", "a whole number", "x")]),
        (5, [("/id", "required", "`id` must be there", None)]),
    ]


def test_the_whole_row_is_kept_as_it_stood(shop: Shop) -> None:
    shop.source("crm", SOURCE)
    shop.file("crm.csv", ROWS)

    shop.ingest("crm")

    with shop.workspace() as workspace:
        raw = json.loads(bad_rows(workspace, "crm")[1]["raw"])
    assert raw == {"id": "3", "ort": "Bonn", "punkte": "x"}


def test_above_the_limit_nothing_is_taken_and_the_rows_can_be_looked_at(shop: Shop) -> None:
    shop.source("crm", SOURCE.replace("90 %", "2"))
    shop.file("crm.csv", ROWS)

    found = shop.ingest("crm")

    assert found.error is not None
    assert (found.error.code, found.new) == ("SEG312", 0)
    assert len(reasons(shop, "crm")) == 3


def test_a_new_column_is_told_once_and_its_rows_may_be_kept(shop: Shop) -> None:
    shop.file("crm.csv", "id,ort,neu\n1,Köln,x\n2,Bonn,\n")
    body = SOURCE.replace(", points: punkte", "")
    shop.source("crm", body + "contract_options: {new_columns: warn}\n")
    shop.source("strict", body)

    kept, strict = shop.ingest("crm"), shop.ingest("strict")

    assert (kept.new, kept.bad) == (2, 0)
    assert [note for note in kept.notes if "`neu`" in note] == [
        "new column `neu`, which the contract does not allow, in 1 rows; its rows were kept"
    ]
    assert (strict.new, strict.bad) == (1, 1)


def test_json_is_judged_by_its_text(shop: Shop) -> None:
    shop.source(
        "log",
        """
path: log.ndjson
key: {customer_id: id}
profiles: {city: ort}
max_bad_rows: 90 %
contract: {required: [ort], properties: {ort: {type: string}, id: {type: integer}}}
""",
    )
    shop.file("log.ndjson", '{"id": 1, "ort": "Bonn"}\n{"id": 2, "ort": 7}\n{"id": 3}\n{"id": 4, "ort": null}\n')

    found = shop.ingest("log")

    assert (found.new, found.bad) == (1, 3)
    assert [line for line, _ in reasons(shop, "log")] == [2, 3, 4]


def test_rows_that_the_filter_leaves_out_break_no_contract(shop: Shop) -> None:
    shop.source("crm", SOURCE + "only: {ort: Köln}\n")
    shop.file("crm.csv", ROWS)

    found = shop.ingest("crm")

    assert (found.new, found.bad, found.skipped) == (1, 0, 3)


def test_a_broken_check_refuses_the_source_and_a_warning_does_not(shop: Shop) -> None:
    plain = SOURCE[: SOURCE.index("contract:")]
    shop.file("crm.csv", "id,ort,punkte\n1,Köln,5\n1,Bonn,6\n")
    shop.source("hard", plain + "checks:\n  - unique: [id]\n")
    shop.source("soft", plain + "checks:\n  - unique: [id]\n    severity: warn\n")

    hard, soft = shop.ingest("hard"), shop.ingest("soft")

    assert hard.error is not None
    assert (hard.error.code, hard.new) == ("SEG435", 0)
    assert soft.error is None
    assert [note for note in soft.notes if "unique id" in note]


def test_checks_compare_with_the_last_ingest(shop: Shop) -> None:
    plain = SOURCE[: SOURCE.index("contract:")]
    shop.source("crm", plain + "checks:\n  - rows: {change: 50 %}\n")
    shop.file("crm.csv", "id,ort,punkte\n" + "".join(f"{i},Köln,1\n" for i in range(10)))
    first = shop.ingest("crm")
    shop.file("crm.csv", "id,ort,punkte\n1,Köln,2\n")

    second = shop.ingest("crm")

    assert first.error is None
    assert second.error is not None
    assert "10 at the last run" in second.error.message


def test_a_foreign_key_is_looked_up_in_the_other_source(shop: Shop) -> None:
    plain = SOURCE[: SOURCE.index("contract:")]
    shop.source("crm", plain)
    shop.source("cards", plain.replace("crm.csv", "cards.csv") + "checks:\n  - refers: {column: id, to: crm.id}\n")
    shop.file("crm.csv", "id,ort,punkte\n1,Köln,1\n")
    shop.file("cards.csv", "id,ort,punkte\n1,Köln,1\n2,Köln,1\n")

    found = shop.ingest("cards")

    assert found.error is not None
    assert "1 of 2 rows name a key that is not there" in found.error.message


def test_a_json_document_is_judged_by_its_text_too(shop: Shop) -> None:
    contract = "contract: {required: [ort], properties: {ort: {type: string}, punkte: {type: integer}}}"
    shop.source(
        "doc", f"path: doc.json\nkey: {{customer_id: id}}\nprofiles: {{city: ort}}\nmax_bad_rows: 90 %\n{contract}\n"
    )
    shop.file(
        "doc.json",
        '[{"id": 1, "ort": "Bonn"},\n {"id": 2, "ort": null}, {"id": 3},\n {"id": 4, "ort": "x", "punkte": 1.5}]',
    )

    found = shop.ingest("doc")

    assert (found.new, found.bad) == (1, 3)
    assert reasons(shop, "doc")[0] == (2, [("/ort", "type", "text", None)])


def test_old_quarantine_files_without_the_fields_of_contracts_can_be_read(shop: Shop) -> None:
    import polars as pl

    shop.source("crm", SOURCE)
    shop.file("crm.csv", ROWS)
    shop.ingest("crm")
    old = pl.List(pl.Struct(dict.fromkeys(("column", "expected", "value", "reason"), pl.String)))
    with shop.workspace() as workspace:
        frame = pl.read_parquet(workspace.files("quarantine/crm")[0].path).with_columns(pl.col("reasons").cast(old))
        workspace.commit("quarantine", [workspace.write("quarantine/crm", frame)])

        found = stored_rows(workspace.files("quarantine/crm"))
    assert found["reasons"].list.len().to_list() == [2, 2, 2] * 2
    assert found["reasons"].list.eval(pl.element().struct.field("keyword")).to_list()[3][0] is None


def test_a_breach_that_is_told_only_is_counted_and_the_row_goes_in(shop: Shop) -> None:
    shop.source("crm", SOURCE + "contract_options: {warn: {ort: enum, punkte: maximum}}\n")
    shop.file("crm.csv", ROWS + "6,Rom,7\n")

    found = shop.ingest("crm")

    assert (found.new, found.bad) == (3, 2)
    assert found.notes == [
        "`ort`: expected one of Köln, Bonn; 2 rows (`enum`), told only",
        "`punkte`: expected at most 100; 1 row (`maximum`), told only",
    ]
    assert reasons(shop, "crm") == [
        (4, [("/punkte", "type", "a whole number", "x")]),
        (5, [("/id", "required", "`id` must be there", None)]),
    ]


def test_of_a_bad_row_nothing_is_told_beside_its_reasons(shop: Shop) -> None:
    shop.source("crm", SOURCE + "contract_options: {warn: {punkte: all}}\n")
    shop.file("crm.csv", ROWS)

    found = shop.ingest("crm")

    # A rule of types holds whatever the contract says: `x` is no number of points.
    assert (found.new, found.bad, found.notes) == (
        1,
        3,
        ["`punkte`: expected a whole number; 1 row (`type`), told only"],
    )
    assert reasons(shop, "crm") == [
        (3, [("/ort", "enum", "one of Köln, Bonn", "Rom")]), (4, []),
        (5, [("/id", "required", "`id` must be there", None)]),
    ]  # fmt: skip


def test_only_what_a_declaration_means_reads_its_files_again(shop: Shop) -> None:
    shop.source("crm", SOURCE)
    shop.file("crm.csv", ROWS)
    shop.ingest("crm")
    assert shop.ingest("crm").skipped_files == 1

    shop.source("crm", SOURCE + "contract_options: {warn: {ort: enum}}\n")

    assert (shop.ingest("crm").skipped_files, shop.ingest("crm").skipped_files) == (0, 1)
