"""Codes about sources that are fetched: services, credentials, pages, limits."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG384": Entry(
        "`--since` or `--limit` does not fit the source",
        "A source without a cursor cannot begin in the middle, and a part of a full picture would say that everybody "
        "else is gone.",
        "Leave the option out, declare a `cursor`, or make it `picture: log`.",
        "segctl ingest crm --since 2026-01-01",
    ),
    "SEG385": Entry(
        "no connector for this kind of source",
        "The kind is brought by another package, and none that is installed registers it under `segctl.connectors`.",
        "Install the package, or correct `kind`.",
    ),
}
