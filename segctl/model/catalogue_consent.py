"""Codes about consent and suppression (SEG800–829)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG800": Entry(
        "a key of the consent ledger is gone",
        "The ledger knows people by keyed tokens only. Without the key nobody is recognised, and whoever objected "
        "would be contacted again, so nothing goes on.",
        "Restore `consent.key` of the workspace from a backup, or the secret that `consent: {key: …}` names.",
        "segctl consent check anna@post.example",
    ),
    "SEG801": Entry(
        "the declared key of the consent ledger is of no use",
        "The secret that `consent: {key: …}` names is too short, or the key is not the workspace's to renew.",
        "Use 32 random bytes, as `openssl rand -hex 32` prints them; write a newer key behind the older one.",
        "segctl consent rotate-key",
    ),
    "SEG802": Entry(
        "not the name of a purpose",
        "Purposes are named in small letters, with dots between the levels of their tree.",
        "Write it as `newsletter` or `ads.retargeting`.",
        "purposes:\n  Newsletter: {basis: consent, channels: [email]}",
        "purposes:\n  newsletter: {basis: consent, channels: [email]}",
    ),
    "SEG803": Entry(
        "a purpose covers one that is not declared",
        "`covers` says which further purposes a consent includes because its notice names them.",
        "Declare the covered purpose, or take it out of the list.",
        "purposes:\n  newsletter: {basis: consent, channels: [email], covers: [suveys]}",
        "purposes:\n  newsletter: {basis: consent, channels: [email], covers: [surveys]}\n"
        "  surveys: {basis: consent, channels: [email]}",
    ),
    "SEG804": Entry(
        "a contact point that nothing holds",
        "`contact_points` names the identifiers and stored traits that hold e-mail addresses, numbers and the like.",
        "Write a declared identifier or stored trait.",
        "contact_points: {email: e_mail}",
        "contact_points: {email: email}",
    ),
    "SEG805": Entry(
        "legitimate interest without a balancing test",
        "Art. 6 (1) f GDPR asks for a balancing of interests before somebody is contacted, on record.",
        "Name the record as `lia_ref`, or rest the purpose on another basis.",
        "purposes:\n  catalogue: {basis: legitimate_interest, channels: [postal]}",
        "purposes:\n  catalogue: {basis: legitimate_interest, channels: [postal], lia_ref: LIA-2026-3}",
    ),
}
