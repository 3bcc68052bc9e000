"""Codes of what is asked of reports."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG985": Entry(
        "an option that this report does not know",
        "Each report has its own options; `segctl report --help` says which belong to which.",
        "Leave the option out, or ask for the report that it belongs to.",
        "segctl report health --by country",
        "segctl report ab spring_mail --by country",
    ),
    "SEG986": Entry(
        "a number that the report does not have",
        "`--explain` was given a name that is none of a number of this report.",
        "`--explain` without a name lists all numbers with their names; the beginning of a name means all below it.",
        "segctl report ab spring_mail --explain bougth",
        "segctl report ab spring_mail --explain bought.mail.lift",
    ),
    "SEG987": Entry(
        "nowhere to write all reports",
        "All reports together are pages that belong together, so they need a folder.",
        "Name a folder with `--html`; it is made when it is not there.",
        "segctl report all",
        "segctl report all --html reports",
    ),
    "SEG989": Entry(
        "a report as of a time that has not come",
        "A report on experiments counts what happened until its time. Ahead of the clock and of every event nothing "
        "has happened: windows would pass for complete and a planned end for reached.",
        "Leave `--as-of` out, or name a time in the past. With events that lie ahead, as a simulation makes them, a "
        "time ahead is taken.",
        "segctl report ab spring_mail --as-of 2099-01-01",
        "segctl report ab spring_mail",
    ),
    "SEG988": Entry(
        "names that this report does not take",
        "A report on all segments takes no name, and one on an experiment takes one.",
        "Leave the names out, or choose segments with `--select`; names of numbers stand behind `--explain`.",
        "segctl report health winback",
        "segctl report health -s winback",
    ),
}
