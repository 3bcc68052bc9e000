"""Codes about the text of a definition file, before it means anything; examples are segment files."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG200": Entry(
        "The file is not readable text",
        "Definitions are UTF-8 text. The file has bytes of another encoding, a control character, or cannot be opened.",
        "Save it as UTF-8 (in many Windows programs: Save as, Encoding), or delete the character.",
        "segment: tested\ntitle: a\x00b",
    ),
    "SEG201": Entry(
        "The file is not valid YAML",
        "Something in the file's form is broken: indentation, a colon inside a value, a quote or bracket left open.",
        "Write the line as the hint shows it. Texts with `: `, ` #` or a special first character need quotes.",
        "segment: tested\ntitle: Winter: die Zweite",
    ),
    "SEG202": Entry(
        "A key stands twice",
        "In one mapping every key stands once; otherwise one of the values would be lost without a word.",
        "Keep one of them. Two conditions on one value are two items under `all`.",
        "segment: tested\nsegment: other\nwhere: {trait: country, equals: DE}",
    ),
    "SEG203": Entry(
        "A feature of YAML that definitions do not use",
        "Tags (`!name`), merging (`<<`), several documents in one file and lists as keys only hide what is meant.",
        "Write the value plainly. A text that starts with `!`, `*` or `&` needs quotes.",
        "segment: tested\ntitle: !Wichtig",
    ),
    "SEG205": Entry(
        "The file is too large",
        "A file has at most 2 MB, 100,000 values and 50 levels; repetitions through `*` are counted in full.",
        "Keep long lists of values in a file of their own and name it with `{list: name}`.",
        "segment: tested\nwhere: " + "[" * 60,
    ),
    "SEG206": Entry(
        "The file is empty",
        "There is nothing in the file but blanks and comments.",
        "Write the definition, or delete the file.",
        "# only a comment",
    ),
    "SEG207": Entry(
        "The file's name ends in .yml",
        "Definitions end in `.yaml`, so that one definition cannot be there twice under two names.",
        "Rename the file.",
    ),
    "SEG208": Entry(
        "A comment swallows the value",
        "In YAML a `#` behind a blank starts a comment. What follows it is not part of the value.",
        'Put the text in quotes: `"Aktion # 1"`.',
        "segment: tested\ntitle: Aktion # 1\nwhere: {trait: country, equals: DE}",
    ),
}
