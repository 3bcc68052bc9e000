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
    "SEG932": Entry(
        "a destination without a way in, or with several",
        "The service takes one of several kinds of credentials, and the declaration names none of them, or more.",
        "Give exactly one of the kinds that the message names, each by reference.",
        "destination: ads\nkind: google_ads\naccount_id: 123-456-7890",
        "destination: ads\nkind: google_ads\naccount_id: 123-456-7890\nservice_account: {file: google.json}",
    ),
    "SEG933": Entry(
        "an option that cannot be meant",
        "The value has not the form that the service gives such ids and names; it would end up in an address or in "
        "a wrong account.",
        "Copy it from the service; the message says what it looks like.",
    ),
    "SEG934": Entry(
        "terms that nobody has accepted",
        "The service takes lists of people only from those who have accepted its terms for them, and wants it said "
        "with each call.",
        "Read the terms in the service's own pages, accept them there, then write `terms_accepted: true`.",
    ),
    "SEG935": Entry(
        "a field that the destination does not know",
        "The service takes a fixed set of fields, and the declaration maps a trait to another one. Nothing would "
        "arrive there.",
        "Use one of the fields that the message names.",
    ),
    "SEG936": Entry(
        "an audience that is not there",
        "The name or id leads to nothing at the service, and this kind of destination does not make audiences, or "
        "may not.",
        "Make it there, or correct the name under `audiences`.",
    ),
    "SEG937": Entry(
        "an audience that the service has closed",
        "The service answers that the audience is flagged, deleted or not shared with the account.",
        "Look at it in the service's own pages; name another audience under `audiences` if it cannot be used again.",
    ),
}
