"""Codes about finding people by likeness (SEG460 to SEG469)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG460": Entry(
        "record ids that do not tell records apart",
        "To find people by likeness every record needs an id of its own; here one is missing or occurs twice.",
        "Give every record its own id, for example the key of its source.",
    ),
    "SEG461": Entry(
        "nothing to compare",
        "None of the columns has a role such as given name, surname, birth date or address, or all of them are empty.",
        "Say which columns are names, dates and addresses.",
    ),
    "SEG462": Entry(
        "unknown record",
        "A pair is explained from the records that were compared, and no record has this id.",
        "Take ids from the list of links or of pairs for review.",
    ),
    "SEG463": Entry(
        "weights for other fields",
        "The stored weights were learnt when the records had other columns with values, so they do not fit any more.",
        "Run `segctl dedupe --fuzzy` again; the weights are learnt anew.",
    ),
}
