"""Codes about related tables and colleagues."""

from __future__ import annotations

from segctl.model.catalogue import Entry

_HEAD = "segment: tested\nwhere: "

ENTRIES: dict[str, Entry] = {
    "SEG258": Entry(
        "The related table is not declared",
        "`related` speaks of a table, or of a group of colleagues, that `segctl.yaml` declares under `related`.",
        "Use the nearest name that the hint gives, or declare the table with its properties.",
        _HEAD + "{related: tickts, count: 0}",
        _HEAD + "{related: tickets, count: 0}",
    ),
    "SEG259": Entry(
        "Rows of a related table have no time of their own",
        "A ticket or a subscription holds until it changes; it does not happen at an instant as an event does. So "
        "there is no window over rows, no first or last one and no gap between them.",
        "Test a time of the row in `where`, or ask for the `max` of a time property.",
        _HEAD + "{related: tickets, within_last: 30 days}",
        _HEAD + "{related: tickets, where: {opened_at: {within_last: 30 days}}}",
    ),
    "SEG294": Entry(
        "Colleagues share a declared trait",
        "Under `related`, `same` names the stored trait that makes profiles belong together: a text or a whole number "
        "such as a company.",
        "Name a trait that is declared under `traits`.",
    ),
    "SEG295": Entry(
        "Colleagues are counted in segments",
        "Colleagues are other profiles. A segment counts those that meet a condition; sums over them, and computed "
        "traits of them, do not exist.",
        "Write `count`, and put what should hold for each of them into `where`.",
        _HEAD + "{related: colleagues, sum: {of: points, at_least: 3}}",
        _HEAD + "{related: colleagues, where: {trait: points, above: 0}, count: {at_least: 3}}",
    ),
}
