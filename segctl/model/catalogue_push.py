"""Codes about pushing (SEG870–889)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG870": Entry(
        "a push that nobody can be asked about",
        "Without names `push` lists what it would send and asks; off a terminal there is nobody to ask.",
        "Name the segments, or write `--all` when every one is meant.",
        "segctl push",
        "segctl push --all",
    ),
    "SEG871": Entry(
        "many people would be taken out at once",
        "A hundred people or more, and a quarter of those who are there, would leave an audience. That can be a "
        "mistake in data as well as a wish, so the segment's name is asked for. `--yes` does not stand for it.",
        "Look who leaves with `segctl diff`; when it is right, write `--confirm` with the segment's name.",
        "segctl push winback",
        "segctl push winback --confirm winback",
    ),
    "SEG872": Entry(
        "an unknown destination",
        "`--to` names a destination that the project does not declare.",
        "Write the name of a file in `destinations/`, without its ending.",
        "segctl push --to klavio",
    ),
    "SEG873": Entry(
        "a mode that the destination does not have",
        "Not every service can take people out or change them, so not every kind has all modes.",
        "Use one of the modes that the message names, in the destination's file or with `--mode`.",
        "segctl push --to journal --mode mirror",
    ),
    "SEG874": Entry(
        "a push that is refused",
        "A guard of the segment or the destination does not allow so large a change, or removals fail at the "
        "destination for longer than a day. People who withdrew are taken out all the same.",
        "Look at the change with `segctl diff`; allow it once with `--allow` and `--reason`, or mend the destination.",
        "guards: {max_removed: 20 %}",
    ),
    "SEG875": Entry(
        "a destination that points elsewhere",
        "Folder, list, table, account or address of the destination changed after people were told there. The ledger "
        "says who is told at the old place; nobody would be told at the new one, and nobody taken out of the old one.",
        "Declare the new place under a name of its own and push both, so that the old one is emptied; if the place is "
        "the same and only its spelling changed, say so once with `--same-place`.",
        "folder: out/new   # was out/old",
        "segctl push --same-place mailing_files",
    ),
    "SEG876": Entry(
        "a plan with something beside it",
        "A saved plan names its segments and destinations and what guards allow; other options would make it another.",
        "Leave the options out, or make another plan.",
        "segctl push plan.json --to mailer",
        "segctl push plan.json",
    ),
    "SEG877": Entry(
        "a plan that sends nothing",
        "None of the plan's segments goes to a destination, so there is nothing to carry out.",
        "Name destinations under `send_to`, and make another plan.",
        "segctl push plan.json",
    ),
    "SEG878": Entry(
        "names and everything together",
        "`--all` means every segment, so names beside it have no meaning.",
        "Write the names, or `--all`.",
        "segctl push winback --all",
        "segctl push winback",
    ),
    "SEG879": Entry(
        "a preview of nothing",
        "`--preview` lists the rows that `--retry-failed` would send again.",
        "Write both options, or `--dry-run` to see what a push would send.",
        "segctl push --preview",
        "segctl push --retry-failed --preview",
    ),
    "SEG880": Entry(
        "a kind of destination that is not installed",
        "No connector of that kind is registered, so nobody knows how to speak to the destination.",
        "Correct `kind`, or install the package that brings the connector.",
        "kind: klavio",
        "kind: klaviyo",
    ),
}
