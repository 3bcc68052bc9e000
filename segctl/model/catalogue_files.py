"""Codes about reading files."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG340": Entry(
        "No such file",
        "The path, folder or pattern of a source names nothing that can be read.",
        "Correct the path; it is read from the project folder. Hidden files are skipped unless named outright.",
        "path: data/ordres/*.csv",
    ),
    "SEG341": Entry(
        "Not a file",
        "The path is a folder where one file is wanted, or a device or pipe.",
        "Name a file, or give `-` to read standard input.",
    ),
    "SEG342": Entry(
        "File cannot be read",
        "The system refuses: the file is gone, its permissions forbid it, or the disk fails.",
        "See that the file is there and readable by your user, then repeat the command.",
    ),
    "SEG343": Entry(
        "Not a table",
        "The content is of another kind than the file name or the declaration says.",
        "Export the data as CSV, JSON, NDJSON, Parquet or XLSX, or correct `format`.",
    ),
    "SEG344": Entry(
        "Compression is not read",
        "Files compressed with gzip or zstd are read as they are; other archives are not.",
        "Unpack the archive, or compress the file with gzip or zstd.",
    ),
    "SEG346": Entry(
        "Unknown encoding",
        "`encoding` names no text encoding.",
        "Use `utf-8`, `cp1252`, `latin-1`, `utf-16-le` or `utf-16-be`, or leave it out to have it detected.",
        "csv: {encoding: utf8000}",
    ),
    "SEG347": Entry(
        "Records not found in the JSON document",
        "`records` names a path that does not lead to a list of objects.",
        "Write the keys from the top of the document, with dots between them; a dot inside a key is `\\.`.",
        "json: {records: data.itms}",
    ),
    "SEG348": Entry(
        "Not JSON",
        "The document is not well-formed before its first record.",
        "Correct the document, or the declared `format`.",
        '{"data": [',
    ),
    "SEG349": Entry(
        "Damaged Parquet file",
        "The file breaks off or its table of contents is damaged; without it nothing of a Parquet file can be read.",
        "Copy or export the file again.",
    ),
    "SEG350": Entry(
        "Reading Excel needs one more package",
        "The optional package that reads .xlsx files is not installed.",
        "Run `pip install 'segctl[excel]'`.",
    ),
    "SEG351": Entry(
        "No such sheet",
        "`sheet` names no sheet of the workbook.",
        "Use one of the names that the message lists, or its number, counted from 1.",
        "sheet: Tabele1",
    ),
    "SEG352": Entry(
        "Old or locked Excel workbook",
        "The file is an .xls workbook, or one with a password.",
        "Save it in Excel as .xlsx without a password, or as CSV.",
    ),
    "SEG353": Entry(
        "Damaged Excel workbook",
        "The file breaks off or is not a workbook inside.",
        "Save it again in Excel, or export the sheet as CSV.",
    ),
    "SEG354": Entry(
        "Impossible file option",
        "An option under `csv`, `json` or `format` has a value that cannot be meant.",
        "Delimiter and quote are one plain character each; formats are csv, json, ndjson, parquet and xlsx.",
        'csv: {delimiter: ";;"}',
    ),
    "SEG355": Entry(
        "Declared columns do not fit the file",
        "`columns` lists more or fewer names than the file has columns.",
        "List one name per column, in the file's order, or leave `columns` out where the file has a header.",
        "csv: {header: false, columns: [id, name]}",
    ),
    "SEG360": Entry(
        "Row with too few fields",
        "The record has fewer fields than the header; a delimiter is missing, or the line was cut.",
        "Correct the row at its source; until then it stays in quarantine.",
        "id,name,city\n7,Ada",
    ),
    "SEG361": Entry(
        "Row with too many fields",
        "The record has more fields than the header; mostly a delimiter inside a text that is not quoted.",
        "Quote texts that hold the delimiter; until then the row stays in quarantine.",
        "id,name\n7,Lovelace, Ada",
    ),
    "SEG362": Entry(
        "Open quote",
        "A field starts with a quote that is never closed, so that the rows after it would be swallowed.",
        "Close or double the quote. Only the line that opens it is in quarantine; the next lines are read as rows.",
        'id,name\n7,"Ada',
    ),
    "SEG363": Entry(
        "Text after a closing quote",
        "A quote inside a quoted field is not doubled, so that the field seems to end early.",
        "Double quotes inside quoted fields.",
        'id,size\n7,"5" disk"',
    ),
    "SEG364": Entry(
        "Bytes that are no text",
        "The record holds bytes that do not exist in the file's encoding.",
        "If many rows are hit, declare the right `encoding`; otherwise correct the row.",
    ),
    "SEG365": Entry(
        "NUL byte in a row",
        "The record holds a zero byte, which no text has: a damaged disk block or a broken export.",
        "Export the file again.",
    ),
    "SEG366": Entry(
        "Record too long or too deep",
        "The record is longer than 16 MB, or its JSON is nested deeper than 100 levels.",
        "Look for a missing line end or a lost quote near the given line.",
    ),
    "SEG367": Entry(
        "File breaks off",
        "The compressed file or the JSON document ends before its end; the rows before the break were read.",
        "Copy or export the file again, then ingest it: rows that are already known change nothing.",
    ),
    "SEG368": Entry(
        "Record is not JSON",
        "The line or list element is not well-formed, is no object, or names a key twice.",
        "Correct the record at its source; until then it stays in quarantine.",
        '{"id": 7, "id": 8}',
    ),
    "SEG369": Entry(
        "Error cell in Excel",
        "A formula in the row gives an error such as #REF! or #N/A.",
        "Correct the formula, or replace it by its value.",
    ),
}
