"""Codes of reports on segments and of what health proposes (SEG975–SEG984)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG975": Entry(
        "a figure of reports that looks at more than the event",
        "`conversion`, `revenue` and `engagement` are counted for everybody in one pass over the events, so their "
        "`where` tests properties of the event, not traits of the profile.",
        "Test properties only; what a profile is like belongs into a segment.",
        "reports: {conversion: {event: order_completed, where: {value: {at_least: {trait: limit}}}}}",
        "reports: {conversion: {event: order_completed, where: {value: {at_least: 20}}}}",
    ),
    "SEG976": Entry(
        "a length or cost under `reports` that cannot be",
        "Windows of reports are compared with one another, so they are of equal length; who is lost has been active "
        "longer ago than who is active; a message costs 0 or more.",
        "Write days or weeks, `active` shorter than `lost`, and costs as numbers.",
        "reports: {window: 1 month}",
        "reports: {window: 30 days}",
    ),
    "SEG978": Entry(
        "a report on segments before anything was evaluated",
        "Sizes, entries and exits come from the runs on record, and there is none yet.",
        "Evaluate the definitions first with `segctl apply`.",
        "segctl report segments",
    ),
    "SEG979": Entry(
        "a folder for proposals that holds other files",
        "`--propose` writes whole files under the names they have in the project; what lies there already might be "
        "somebody's work.",
        "Name a folder that is new or empty, outside of the project's own folders.",
        "segctl report health --propose segments",
        "segctl report health --propose proposals",
    ),
    "SEG980": Entry(
        "`plan --with` finds no definitions",
        "`--with DIR` takes files of a folder instead of those of the project under the same names, such as "
        "`segments/winback.yaml`. The folder does not exist, or has no such files.",
        "Name the folder that `segctl report health --propose` has written.",
        "segctl plan --with segments",
        "segctl plan --with proposals",
    ),
}
