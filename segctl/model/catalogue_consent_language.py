"""Codes about consents in definitions, in sources and in evaluations; examples are segment files."""

from __future__ import annotations

from segctl.model.catalogue import Entry

_HEAD = "segment: tested\nwhere: "

ENTRIES: dict[str, Entry] = {
    "SEG830": Entry(
        "Not a declared purpose",
        "Consent is given for a purpose, and purposes are declared under `purposes` in `segctl.yaml`.",
        "Correct the name, or declare the purpose with its basis and channels.",
        _HEAD + "{consent: newsleter, channel: email}",
        _HEAD + "{consent: newsletter, channel: email}",
    ),
    "SEG831": Entry(
        "Not a channel of the purpose",
        "Consent is given for a channel: who may be written to may not be called. A purpose lists its channels; only "
        "one with a single channel need not be told which.",
        "Name one of the purpose's channels, or add the channel to the purpose.",
        _HEAD + "{consent: newsletter, channel: pigeon}",
        _HEAD + "{consent: newsletter, channel: email}",
    ),
    "SEG832": Entry(
        "Not a state of a consent",
        "A consent is `confirmed`, `requested`, `withdrawn`, `objected`, `expired`, `denied` or `none`.",
        "Use one of these words.",
        _HEAD + "{consent: newsletter, channel: email, status: subscribed}",
        _HEAD + "{consent: newsletter, channel: email, status: confirmed}",
    ),
    "SEG833": Entry(
        "The state has no such age",
        "A time operator asks when the state of a consent began. That lies in the past, and `none` never began.",
        "Use `within_last`, `older_than`, `since`, `before`, `between`, `during` or `anniversary`, and another state "
        "than `none`.",
        _HEAD + "{consent: newsletter, channel: email, status: none, older_than: 30 days}",
        _HEAD + "{consent: newsletter, channel: email, status: requested, older_than: 30 days}",
    ),
    "SEG834": Entry(
        "Not a column of the consent ledger",
        "`consents` of a source says which of its columns stand for which column of `segctl consent import`.",
        "Use one of those columns: `segctl help consent-conditions` and `segctl help consent` name them.",
        "source: crm\npath: crm.csv\nkey: {customer_id: Nr}\nprofiles: {country: Land}\n"
        "consents: {purpose: newsletter, channel: email, columns: {mial: E-Mail, action: Newsletter, at: Stand}}",
    ),
    "SEG835": Entry(
        "`consents` does not say enough",
        "A row of the consent ledger needs a contact point, a purpose, a channel, what was said, and when.",
        "Name the missing columns under `columns`, or what holds for every row under `set`.",
        "source: crm\npath: crm.csv\nkey: {customer_id: Nr}\nprofiles: {country: Land}\n"
        "consents: {purpose: newsletter, channel: email, columns: {email: E-Mail, action: Newsletter}}",
    ),
}
