"""Codes about sources, data and quarantine."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG300": Entry(
        "A source declaration has the wrong form",
        "A key is unknown, missing, or holds the wrong kind of value.",
        "Follow the hint; `segctl schema source` gives editors completion for these files.",
        "source: orders\npth: data/orders.csv",
    ),
    "SEG301": Entry(
        "A source names something that is not declared",
        "Traits, events, properties and identifiers get their types from segctl.yaml, so they must stand there.",
        "Correct the name, or declare it in segctl.yaml.",
        "profiles: {contry: Land}",
    ),
    "SEG302": Entry(
        "A formula over columns cannot be read",
        "Formulas know `+ - * / ( )`, `coalesce(…)`, `concat(…)`, numbers with a decimal point, texts in quotes and "
        "column names.",
        "Put names with blanks or signs into backticks, and write `*` and `/`.",
        'value: {formula: "quantity × unit price"}',
    ),
    "SEG303": Entry(
        "The parts of a source do not fit together",
        "A source holds either profiles or events; some keys make sense for one of them only.",
        "Split it into two sources over the same file, or delete the key.",
        "source: crm\npath: a.csv\nprofiles: {city: Ort}\nevents: []",
    ),
    "SEG304": Entry(
        "A setting of a source has an impossible value",
        "The value is none of those that the key can have.",
        "Choose one of the values in the hint.",
        "picture: complete",
    ),
    "SEG305": Entry(
        "A source's name is wrong or taken",
        "Names of sources are small letters, digits and `_`, and each is unique in the project.",
        "Rename one of them; what was ingested stays under the old name.",
        "source: Shop-Orders",
    ),
    "SEG306": Entry(
        "A time zone is unknown",
        "Zones are names of the IANA database, such as `Europe/Berlin`.",
        "Write a known name, or leave `zone` out to use the project's.",
        "time: {column: created_at, zone: Berlin}",
    ),
    "SEG307": Entry(
        "The project declares no sources",
        "There is no file in the folder `sources`.",
        "Let `segctl ingest --from FILE --as EVENT --save` propose the first one.",
    ),
    "SEG308": Entry(
        "There is no source of that name",
        "The name stands in no file of the folder `sources`.",
        "Correct the name; `segctl ls sources` lists them.",
        "segctl ingest ordres",
    ),
    "SEG309": Entry(
        "Source declarations have errors",
        "Nothing is read while a declaration is wrong, since half a declaration would give half the data.",
        "Correct what is listed above the message.",
    ),
    "SEG310": Entry(
        "A declared column is not in the file",
        "The declaration names a column that the file does not have: it was renamed, or the file is another one.",
        "Correct the column's name, or the path.",
        "key: {customer_id: Kundennr.}",
    ),
    "SEG311": Entry(
        "A file changed while it was read",
        "Another program was still writing it, so its rows cannot be trusted to be whole.",
        "Ingest again when that program is done; best it writes under another name and renames the file.",
    ),
    "SEG312": Entry(
        "A source has too many bad rows",
        "More rows do not fit their types than `max_bad_rows` allows, so nothing of the source was taken.",
        "Look with `segctl quarantine show SOURCE`; mend the file, the declaration, or raise the limit.",
        "max_bad_rows: 1 %",
    ),
    "SEG314": Entry(
        "A full picture is empty",
        "The source says that absent people are gone, and nobody is in it: more often a broken export than a wish.",
        "Look at the file; if it is meant so, repeat with `--yes`.",
        "picture: full",
    ),
    "SEG315": Entry(
        "Options do not fit together",
        "`--as`, `--key`, `--time` and `--save` describe a file given with `--from`; `quarantine show` needs a source.",
        "Complete the command as the hint says.",
        "segctl ingest --as profiles",
    ),
    "SEG316": Entry(
        "The columns that identify people cannot be found",
        "No column of the file looks like an identifier that the project declares.",
        "Name it: `--key customer_id=Kundennummer`.",
        "segctl ingest --from data/orders.csv --as order_completed",
    ),
    "SEG317": Entry(
        "The column with the time of the event cannot be found",
        "No column of the file holds times throughout, or none was named.",
        "Name it: `--time created_at`.",
        "segctl ingest --from data/orders.csv --as order_completed",
    ),
    "SEG318": Entry(
        "A declaration would be overwritten",
        "A file of that name stands in the folder `sources` already.",
        "Edit that file, or rename it first.",
        "segctl ingest --from data/orders.csv --as order_completed --save",
    ),
    "SEG356": Entry(
        "Rows that cannot be read again would be dropped",
        "`ingest --full` replaces all that came from a source by what its files hold now, and some earlier files are "
        "gone or have other contents.",
        "Put the files back, or repeat with `--yes` when the present ones hold all that counts.",
        "segctl ingest orders --full",
    ),
    "SEG357": Entry(
        "Rows would be filed under other identifiers",
        "A row belongs to the first identifier it has, in the order of `identifiers:`. The order, or the `key` of the "
        "source, has changed, so the next rows would belong to other people than those before.",
        "Put the order back, or read all again under the new one with `segctl ingest SOURCE --full`.",
        "identifiers:\n  email: {class: known}\n  customer_id: {class: known}",
    ),
}
