"""Codes about rows that were set aside, and about contracts that are proposed (SEG617 to SEG629)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG617": Entry(
        "A filter of the quarantine has the wrong form",
        "`--line` takes a line or a range of lines, `--file` the name of an input file.",
        "Follow the hint.",
        "segctl quarantine show orders --line first",
    ),
    "SEG618": Entry(
        "A file is no mended export of the quarantine",
        "`quarantine replay SOURCE FILE` knows rows by the column `segctl_row`, which `quarantine export` writes.",
        "Export the rows, mend them in that file and keep its first column.",
        "segctl quarantine replay orders other.csv",
    ),
    "SEG619": Entry(
        "The quarantine cannot be exported in this form",
        "`quarantine export` writes CSV, NDJSON or Parquet; the ending of the file or `--format` says which.",
        "Name the file `.csv`, `.ndjson` or `.parquet`.",
        "segctl quarantine export orders -o bad.pdf",
    ),
}
