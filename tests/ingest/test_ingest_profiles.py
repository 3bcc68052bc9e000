"""Profile records: versions, full pictures, empty cells."""

from __future__ import annotations

import pytest

CRM = """
path: crm.csv
key: {customer_id: nr}
max_bad_rows: 50 %
profiles: {city: ort, points: punkte}
"""
HEADER = "nr,ort,punkte,stand\n"


def versions(shop) -> list[tuple[object, ...]]:
    frame = shop.rows("records/crm").sort("arrival")
    return list(frame.select("who", "city:t", "points:i", "gone").iter_rows())


def test_the_first_version_holds_from_the_beginning_and_a_change_from_its_arrival(shop) -> None:
    shop.source("crm", CRM)
    shop.file("crm.csv", HEADER + "1,Köln,5,\n2,Bonn,6,\n")
    shop.ingest("crm")
    shop.file("crm.csv", HEADER + "1,Köln,7,\n2,Bonn,6,\n")

    found = shop.ingest("crm")

    rows = shop.rows("records/crm").sort("arrival")
    assert (found.new, found.duplicates) == (1, 1)
    assert rows["valid_from"].is_null().to_list() == [True, True, False]
    assert rows["valid_from"][2] == rows["arrived_at"][2]
    assert rows["arrival"].is_sorted()
    assert rows["arrival"].n_unique() == 3


def test_a_value_that_comes_back_is_a_new_version(shop) -> None:
    shop.source("crm", CRM)
    for points in (5, 6, 5):
        shop.file("crm.csv", HEADER + f"1,Köln,{points},\n")
        shop.ingest("crm")

    assert [row[2] for row in versions(shop)] == [5, 6, 5]


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_within_a_file_the_later_row_is_the_later_version(shop, batch_rows: int) -> None:
    shop.source("crm", CRM)
    shop.file("crm.csv", HEADER + "1,Köln,5,\n2,Ulm,1,\n1,Köln,5,\n1,Bonn,5,\n")

    found = shop.ingest("crm", batch_rows=batch_rows)

    assert (found.new, found.duplicates) == (3, 1)
    assert [row[:2] for row in versions(shop)] == [("1", "Köln"), ("2", "Ulm"), ("1", "Bonn")]


@pytest.mark.parametrize("batch_rows", [1, 100])
def test_with_a_record_time_each_time_has_one_version_and_old_news_are_kept(shop, batch_rows: int) -> None:
    shop.source("crm", CRM + "record_time: stand\n")
    shop.file("crm.csv", HEADER + "1,Köln,5,2026-03-01\n1,Bonn,5,2026-01-01\n1,Köln,5,2026-03-01\n")
    first = shop.ingest("crm", batch_rows=batch_rows)
    shop.file("crm.csv", HEADER + "1,Bonn,5,2026-01-01\n1,Ulm,5,2026-03-01\n1,Köln,5,2026-02-01\n")

    second = shop.ingest("crm", batch_rows=batch_rows)

    rows = shop.rows("records/crm")
    newest = rows.sort("arrival").unique("valid_from", keep="last").sort("valid_from")
    assert (first.new, first.duplicates, second.new, second.duplicates) == (2, 1, 2, 1)
    assert newest["city:t"].to_list() == ["Bonn", "Köln", "Ulm"]


def test_who_is_absent_from_a_full_picture_is_gone_and_can_come_back(shop) -> None:
    shop.source("crm", "picture: full\n" + CRM)
    shop.file("crm.csv", HEADER + "1,Köln,5,\n2,Bonn,6,\n")
    shop.ingest("crm")
    shop.file("crm.csv", HEADER + "1,Köln,5,\n")
    left = shop.ingest("crm")
    shop.file("crm.csv", HEADER + "1,Köln,5,\n2,Bonn,6,\n")

    back = shop.ingest("crm")

    assert (left.new, left.gone, back.new, back.gone) == (0, 1, 1, 0)
    assert versions(shop)[2:] == [("2", None, None, True), ("2", "Bonn", 6, False)]
    rows = shop.rows("records/crm").sort("arrival")
    assert rows["valid_from"][2] == rows["arrived_at"][2]
    assert rows["valid_from"][3] == rows["arrived_at"][3]


def test_the_same_full_picture_again_marks_nobody(shop) -> None:
    shop.source("crm", "picture: full\n" + CRM.replace("crm.csv", "crm*.csv"))
    shop.file("crm1.csv", HEADER + "1,Köln,5,\n")
    shop.file("crm2.csv", HEADER + "2,Bonn,6,\n")
    shop.ingest("crm")
    shop.file("crm2.csv", HEADER + "2,Bonn,7,\n")

    found = shop.ingest("crm")

    assert (found.files, found.new, found.gone) == (2, 1, 0)


def test_a_person_whose_row_is_bad_is_not_gone(shop) -> None:
    shop.source("crm", "picture: full\n" + CRM)
    shop.file("crm.csv", HEADER + "1,Köln,5,\n2,Bonn,6,\n")
    shop.ingest("crm")
    shop.file("crm.csv", HEADER + "1,Köln,5,\n2,Bonn,viele,\n")

    found = shop.ingest("crm")

    assert (found.bad, found.gone) == (1, 0)


def test_after_unreadable_lines_nobody_is_marked_as_gone(shop) -> None:
    shop.source("crm", "picture: full\n" + CRM)
    shop.file("crm.csv", HEADER + "1,Köln,5,\n2,Bonn,6,\n3,Ulm,1,\n")
    shop.ingest("crm")
    shop.file("crm.csv", HEADER + "1,Köln,5,\n3,Ulm,1,\n2\n")

    found = shop.ingest("crm")

    assert (found.bad, found.gone) == (1, 0)
    assert any("nobody was marked as gone" in note for note in found.notes)


def test_who_stood_in_a_removed_part_of_a_full_picture_is_gone(shop) -> None:
    shop.source("crm", "picture: full\n" + CRM.replace("crm.csv", "crm*.csv"))
    shop.file("crm1.csv", HEADER + "1,Köln,5,\n")
    part = shop.file("crm2.csv", HEADER + "2,Bonn,6,\n")
    shop.ingest("crm")
    part.unlink()

    found = shop.ingest("crm")
    again = shop.ingest("crm")

    assert found.gone == 1
    assert again.state == "unchanged"


def test_a_copy_of_a_part_of_a_full_picture_may_come_and_go(shop) -> None:
    shop.source("crm", "picture: full\n" + CRM.replace("crm.csv", "crm*.csv"))
    first = shop.file("crm1.csv", HEADER + "1,Köln,5,\n")
    shop.ingest("crm")
    shop.file("crm2.csv", HEADER + "1,Köln,5,\n")
    shop.ingest("crm")
    first.unlink()

    assert shop.ingest("crm").state == "unchanged"


def test_an_empty_full_picture_is_refused_unless_it_is_meant(shop) -> None:
    shop.source("crm", "picture: full\n" + CRM)
    shop.file("crm.csv", HEADER + "1,Köln,5,\n")
    shop.ingest("crm")
    shop.file("crm.csv", HEADER)

    refused = shop.ingest("crm")
    meant = shop.ingest("crm", accepts_empty=True)

    assert refused.error is not None
    assert (refused.error.code, int(refused.error.exit_code)) == ("SEG314", 4)
    assert meant.gone == 1


def test_an_empty_cell_is_missing_unless_it_keeps_the_earlier_value(shop) -> None:
    shop.source("crm", CRM)
    shop.file("crm.csv", HEADER + "1,Köln,5,\n")
    shop.ingest("crm")
    shop.file("crm.csv", HEADER + "1,,6,\n")
    shop.ingest("crm")
    assert versions(shop)[-1][:3] == ("1", None, 6)

    shop.source("crm", "empty: keep\n" + CRM)
    shop.file("crm.csv", HEADER + "1,Bonn,,\n1,,8,\n1,,,\n")
    found = shop.ingest("crm", batch_rows=2)

    assert [row[1:3] for row in versions(shop)[2:]] == [("Bonn", 6), ("Bonn", 8)]
    assert found.duplicates == 1


def test_a_row_that_names_nobody_is_bad(shop) -> None:
    shop.source("crm", CRM)
    shop.file("crm.csv", HEADER + "1,Köln,5,\n ,Bonn,6,\n")

    assert (shop.ingest("crm").bad, shop.rows("quarantine/crm")["line"].to_list()) == (1, [3])


def test_a_changed_declaration_reads_the_file_again(shop) -> None:
    shop.source("crm", CRM.replace(", points: punkte", ""))
    shop.file("crm.csv", HEADER + "1,Köln,5,\n")
    shop.ingest("crm")
    shop.source("crm", CRM)

    found = shop.ingest("crm")

    assert (found.files, found.new) == (1, 1)
    assert versions(shop)[-1] == ("1", "Köln", 5, False)


def test_a_word_for_missing_is_bad_until_the_source_declares_it(shop) -> None:
    shop.source("crm", CRM)
    shop.file("crm.csv", HEADER + "1,Köln,n/a,\n2,-,6,\n")
    before = shop.ingest("crm")
    shop.source("crm", CRM + 'missing_values: ["n/a", "-"]\n')

    found = shop.ingest("crm")

    assert (before.new, before.bad) == (1, 1)
    assert found.bad == 0
    assert [row[:3] for row in versions(shop)] == [("2", "-", 6), ("1", "Köln", None), ("2", None, 6)]
