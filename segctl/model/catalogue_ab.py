"""Codes about reports on experiments (SEG965–974)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG965": Entry(
        "a metric that compares events with a trait, while units have several profiles",
        "With `unit: {same: …}` a unit is a household or the like; a trait has a value for each of its profiles.",
        "Test a property of the event, or make profiles the unit.",
        "metrics:\n  at_home: {event: store_visited, where: {city: {equals: {trait: home_city}}}, role: primary}",
        "metrics:\n  visited: {event: store_visited, role: primary}",
    ),
    "SEG966": Entry(
        "no experiment of that name",
        "Reports are about experiments that are declared in `experiments/NAME.yaml`.",
        "Write the name as `segctl report ab` lists it.",
        "segctl report ab winbak",
        "segctl report ab winback_mail",
    ),
    "SEG967": Entry(
        "neither a trait nor a segment to report by",
        "`--by` shows the effect in sub-segments: by the values of a trait, or inside and outside of a segment.",
        "Name a declared trait or segment; `segctl ls traits` and `segctl ls segments` list them.",
        "segctl report ab winback_mail --by contry",
        "segctl report ab winback_mail --by country",
    ),
    "SEG968": Entry(
        "personal data to report by",
        "Groups by a trait with personal data would be single people, and a report is passed around.",
        "Name a trait that many people share, such as a country.",
        "segctl report ab winback_mail --by birth_date",
        "segctl report ab winback_mail --by country",
    ),
    "SEG969": Entry(
        "a campaign without a control group",
        "`report control` compares with people who were told nothing; here every arm is sent something.",
        "Use `segctl report ab` to compare the arms, or give the next campaign an arm with `send: nothing`.",
        "segctl report control subject_lines",
        "segctl report ab subject_lines",
    ),
    "SEG970": Entry(
        "a file of assignments without a column that is needed",
        "`experiment assign --from FILE` needs the person (`id`, or the name of a declared identifier) and the `arm`; "
        "with units of several profiles also the `unit`.",
        "Name the columns in the first line. `exposed_at`, `assigned_at` and `stratum` are read as well.",
        "customer;variant\nc-1;mail",
        "customer_id;arm\nc-1;mail",
    ),
    "SEG971": Entry(
        "rows of assignments that cannot be taken",
        "Somebody is not known, an arm is not declared, a time cannot be read, or one person has two arms. An "
        "experiment without some of its people would be another one, so nothing is written.",
        "Mend the rows that are named; take in people who are not known yet with `segctl ingest`.",
        "id;arm\nc-1;mial",
        "id;arm\nc-1;mail",
    ),
}
