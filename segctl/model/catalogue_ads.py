"""Codes of destinations for advertising and of those with several ways in (SEG930–SEG939)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG930": Entry(
        "a key of a service account that is none",
        "The text is not the JSON that the service hands out as a key, or its RSA key cannot be read.",
        "Create a key of the kind JSON for the service account and name its file: `service_account: {file: …}`.",
    ),
    "SEG931": Entry(
        "a package for a destination is missing",
        "The destination needs a package that is not installed with segctl itself.",
        'Install it as the message says, for example `pip install "segctl[google]"`.',
    ),
}
