"""Codes about pausing and health (SEG580–589)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG580": Entry(
        "nothing to pause or resume, or too much",
        "`pause` and `resume` take names of segments and destinations, or `--all`, not both and not none.",
        "Name what is meant, or write `--all`.",
        "segctl pause",
    ),
    "SEG581": Entry(
        "a pause without a reason",
        "Whoever finds a segment paused wants to know why; the reason is kept on record with who and when.",
        'Add `--reason "…"`.',
        "segctl pause winback",
    ),
    "SEG582": Entry(
        "neither a segment nor a destination",
        "Segments are those of the project, destinations those that a segment names under `send_to`.",
        "Write the name as `segctl ls` shows it; `destination:NAME` means a destination.",
        'segctl pause winbak --reason "wrong prices"',
    ),
    "SEG583": Entry(
        "a name of two things",
        "A segment and a destination are both called so.",
        "Write `segment:NAME` or `destination:NAME`.",
        'segctl pause newsletter --reason "wrong prices"',
    ),
    "SEG584": Entry(
        "one thing resumed while everything is paused",
        "`pause --all` stops everything, also what is defined later, so nothing runs before `resume --all`.",
        "Resume all of it, and pause by name what should stay so.",
        "segctl resume winback",
    ),
}
