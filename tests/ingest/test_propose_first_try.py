"""What a first try proposes for files as people have them."""

from __future__ import annotations

import json

import pytest

from segctl.compile.project import load_project
from segctl.model.errors import UsageError
from segctl.operations.ingest.propose import propose
from segctl.operations.ingest.save import save_proposal

ROWS = [f"B{n};7;{n % 28 + 1:02d}.11.2025 10:00;{n},90" for n in range(200)]
HEADER = "Bestellnr;Kundennr;Datum;Betrag\n"


def test_one_impossible_day_does_not_hide_the_column_of_times(shop) -> None:
    shop.file("orders.csv", HEADER + "\n".join([*ROWS, "B999;7;31.02.2025 10:00;1,00"]) + "\n")
    project, _ = load_project(shop.root)

    proposal = propose(project, "orders.csv", "ordered")
    save_proposal(project, proposal)

    found = shop.ingest("orders")
    assert (found.new, found.bad) == (200, 1)


def test_a_column_with_many_impossible_days_is_no_column_of_times(shop) -> None:
    shop.file("orders.csv", HEADER + "\n".join([*ROWS, *["B999;7;31.02.2025 10:00;1,00"] * 3]) + "\n")
    project, _ = load_project(shop.root)

    with pytest.raises(UsageError, match="holds times throughout") as refused:
        propose(project, "orders.csv", "ordered")
    assert refused.value.why == "`Datum`: 200 of 203 values are times; 3 are not, the first in line 202"


def test_single_values_of_another_kind_are_told_with_their_lines(shop) -> None:
    rows = [f"7;2025-11-{n + 1:02d};{n},90;Größe {n}" for n in range(8)]
    rows[2], rows[3] = "7;2025-02-30;1,00;x", "7;2025-11-04;abc;38"
    shop.file("orders.csv", "\n".join(["Kundennr;Datum;Betrag;Ware", *rows]) + "\n")
    project, _ = load_project(shop.root)

    proposal = propose(project, "orders.csv", "ordered")

    assert "    time: Datum\n" in proposal.yaml
    assert [note for note in proposal.notes if "values are" in note] == [
        "`Datum`: 7 of 8 values are dates; that of line 4 is not",
        "`Betrag`: 7 of 8 values are amounts; that of line 5 is not; undeclared, such a column is text",
    ]


def test_of_a_folder_the_file_that_was_looked_at_is_named(shop) -> None:
    (shop.root / "exports").mkdir()
    shop.file("exports/day.csv", "Ware;Preis\nHut;1\n")
    project, _ = load_project(shop.root)

    with pytest.raises(UsageError, match=r"exports/day\.csv` looks like an identifier"):
        propose(project, "exports", "ordered")


def test_among_few_rows_nothing_is_a_mistake(shop) -> None:
    shop.file("orders.csv", "Kundennr;Datum;Betrag\n7;2025-11-01;1,00\n7;2025-11-02;abc\n7;x;2,00\n7;2025-11-03;1\n")
    project, _ = load_project(shop.root)

    with pytest.raises(UsageError, match="holds times throughout") as refused:
        propose(project, "orders.csv", "ordered")
    assert refused.value.why is None


def test_a_number_that_never_repeats_becomes_the_id_and_stays_a_property(shop) -> None:
    shop.file("orders.csv", HEADER + "\n".join(ROWS) + "\n")
    project, _ = load_project(shop.root)

    proposal = propose(project, "orders.csv", "ordered")

    assert "    id: Bestellnr\n" in proposal.yaml
    assert proposal.events["ordered"] == {"bestellnr": "text", "betrag": "money"}


@pytest.mark.parametrize("rows", [ROWS[:5], [*ROWS, ROWS[0]]], ids=["too few to tell", "one comes twice"])
def test_a_number_that_may_repeat_is_no_id(shop, rows: list[str]) -> None:
    shop.file("orders.csv", HEADER + "\n".join(rows) + "\n")
    project, _ = load_project(shop.root)

    assert "    id:" not in propose(project, "orders.csv", "ordered").yaml


def test_words_for_missing_numbers_are_proposed(shop) -> None:
    many = "".join(f"{n};{n},50;c\n" for n in range(3, 13))
    shop.file("people.csv", f"Kundennr;Guthaben;Kette\n1;n/a;-\n2;-;a\n{many}")
    project, _ = load_project(shop.root)

    proposal = propose(project, "people.csv", "profiles")
    save_proposal(project, proposal)

    assert proposal.traits == {"guthaben": "number", "kette": "text"}
    assert 'missing_values: ["-", "n/a"]\n' in proposal.yaml
    assert shop.ingest("people").bad == 0


def test_a_list_of_records_is_pointed_out(shop) -> None:
    shop.file("a.ndjson", json.dumps({"customer_id": "1", "at": "2026-01-01", "lines": [{"sku": "A"}]}))
    project, _ = load_project(shop.root)

    notes = propose(project, "a.ndjson", "ordered").notes

    assert "`lines` holds records; `each: lines` makes events of them (segctl help sources)" in notes


def test_an_event_needs_a_name(shop) -> None:
    project, _ = load_project(shop.root)

    with pytest.raises(UsageError) as caught:
        propose(project, "orders.csv", "Web Bestellung")

    assert caught.value.hint == "write `--as web_bestellung`"


def test_what_identifies_a_person_is_proposed_as_personal(shop) -> None:
    shop.file("people.csv", "Kundennr;Vorname;E-Mail;Geburtstag;PLZ;Filiale\n1;Eva;e@x.example;01.02.1980;01067;Nord\n")
    project, _ = load_project(shop.root)

    proposal = propose(project, "people.csv", "profiles")
    save_proposal(project, proposal)

    extended, findings = load_project(shop.root)
    assert findings == []
    assert {t.name for t in extended.traits if t.personal} == {"vorname", "e_mail", "geburtstag", "plz"}
    assert "  vorname: {type: text, personal: true}\n" in proposal.declarations
    assert "  filiale: text\n" in proposal.declarations
