"""Codes about recognising people (SEG415, SEG470 to SEG499)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG415": Entry(
        "decisions that contradict each other",
        "One file says of two people that they are one and that they are two, by itself or over others; its rows "
        "have no order, so neither is the newer.",
        "Change or empty one of the verdicts that the message names; to change your mind later, use another file.",
    ),
    "SEG470": Entry(
        "an unknown name under `identity`",
        "Keys are made of identifiers and traits that segctl.yaml declares; `apart` names other keys.",
        "Check the spelling; the message names the nearest.",
    ),
    "SEG471": Entry(
        "a rule of survivorship that does not fit",
        "`all` is for lists, `longest` for texts, and `least_permissive` of a text needs to know the order.",
        "Choose another rule, or add `order:` with the least permissive value first.",
    ),
    "SEG472": Entry(
        "not a country",
        "Phone numbers and addresses are read by the rules of a country, named by its ISO code of two capitals.",
        "Write `DE`, `AT`, `CH` and so on.",
    ),
    "SEG473": Entry(
        "no such run of dedupe",
        "`dedupe undo` takes the id of a run that changed something, such as `i3` or `last`, or a profile's id.",
        "`segctl dedupe runs` lists them.",
        "segctl dedupe undo i99",
    ),
    "SEG474": Entry(
        "a profile that is too large",
        "So many identifiers belong to nobody: some value that many people share holds them together.",
        "Look at the links that the message names, list the value under `blocked:` of its key, or raise `max_cluster`.",
    ),
    "SEG475": Entry(
        "an unknown source under `identity`",
        "`exclusive`, `countries` and `sources` name sources of the project.",
        "Check the spelling; the message names the nearest.",
    ),
    "SEG476": Entry(
        "decisions that cannot be read",
        "A file of decisions is CSV or JSON as `--review` writes it: `left`, `right` and `verdict`.",
        "Write `must` (one person), `cannot` (two people) or nothing as the verdict; leave other columns as they are.",
    ),
    "SEG477": Entry(
        "nobody can be asked",
        "`dedupe review` asks for each pair and needs a terminal.",
        "Run it in a terminal, or use `--review FILE` and `--decisions FILE`.",
        "segctl dedupe review < /dev/null",
    ),
    "SEG478": Entry(
        "nothing of this profile can be undone",
        "The profile was never merged by `dedupe`, or that was undone already.",
        "`segctl profile WHO` shows its identifiers; `segctl dedupe runs` lists the runs.",
    ),
    "SEG479": Entry(
        "nothing to compare people by",
        "`dedupe --fuzzy` compares names, days of birth, addresses, e-mail and phone; no trait has such a name.",
        "Declare such traits and read them in a profile source.",
    ),
    "SEG480": Entry(
        "a decision about one identifier",
        "`together` and `apart` are about two identifiers, and both words name the same one.",
        "Name two different identifiers; `segctl profile WHO --show-personal` shows those of a person.",
        "segctl dedupe apart K1 K1",
    ),
    "SEG481": Entry(
        "two people that cannot be compared by likeness",
        "Likeness compares profile records, and these two do not have two different ones with names, dates or "
        "addresses in them.",
        "Name two people with records of their own; `segctl profile WHO` shows what is known of a person.",
        "segctl explain identity K1 device_id:d1 --fuzzy",
    ),
}
