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
}
