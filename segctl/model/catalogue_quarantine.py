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
    "SEG620": Entry(
        "There are no rows to learn a contract from",
        "`validate infer` looks at rows, and the file holds none.",
        "Name a file with rows.",
        "segctl validate infer empty.csv",
    ),
    "SEG621": Entry(
        "The source has a contract or checks already",
        "`validate infer --save` adds to a declaration and never changes what stands in it.",
        "Leave `--save` out, and take over by hand what is worth it.",
        "segctl validate infer data/orders.csv --save orders",
    ),
    "SEG622": Entry(
        "A contract cannot be added to the declaration",
        "The file is written in flow style or ends in a way that no further key can follow.",
        "Leave `--save` out, and add the text by hand.",
        "segctl validate infer data/orders.csv --save orders",
    ),
    "SEG623": Entry(
        "`validate infer` is called in a way that it has not",
        "It takes one file, folder, pattern or source that is read from files, and writes YAML or JSON Schema.",
        "Follow the hint.",
        "segctl validate infer",
    ),
}
