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
    "SEG806": Entry(
        "neither a contact point nor a known person",
        "A question about consent needs an address, a number with its country, or an identifier that is known here.",
        "Write `anna@post.example`, `+49 30 1234567`, or put the kind in front: `device:…`.",
        "segctl consent check nobody",
    ),
    "SEG807": Entry(
        "a person without contact points",
        "No identifier or trait of the person is one that `contact_points` of the project file names.",
        "Name the address itself, or declare where contact points stand.",
        "segctl consent check 00017",
    ),
    "SEG808": Entry(
        "a time that cannot be, or lies ahead",
        "What somebody has said is recorded with its time, which cannot lie in the future.",
        "Write `2026-11-21T09:30:00+01:00`, a date, or leave `--at` out for now.",
        "segctl consent withdraw anna@post.example --at 2031-01-01",
    ),
    "SEG809": Entry(
        "a purpose or channel that is missing or unknown",
        "Consent is given for a purpose and a channel that the project declares; a denial may name none and then holds "
        "for all of them.",
        "Name a declared purpose and one of its channels.",
        "segctl consent grant anna@post.example --purpose newsleter",
        "segctl consent grant anna@post.example --purpose newsletter --channel email --proof form-17",
    ),
    "SEG810": Entry(
        "a suppression or objection is lifted by too little",
        "Only the person herself lifts it, by a later word that she confirmed and that can be proved; an old list or a "
        "new import never does.",
        "Give `--reason`, `--proof`, `--confirmed` and the time of her declaration.",
        'segctl suppress rm anna@post.example --reason "came back"',
    ),
    "SEG811": Entry(
        "nothing to decide about",
        "No purpose is declared, or the destination that was named does not exist.",
        "Declare a purpose in segctl.yaml, or name a destination of the project.",
        "segctl consent check anna@post.example --to maler",
    ),
    "SEG812": Entry(
        "a file or a column that does not exist",
        "`consent import` reads documented columns; `--map` and `--set` name them.",
        "Look at `segctl help consent` for the columns, and check the file's name.",
        "segctl consent import list.csv --map mial=E-Mail",
        "segctl consent import list.csv --map email=E-Mail",
    ),
    "SEG813": Entry(
        "a file that cannot be read as consents",
        "It is empty, damaged, no text, or has no column for a contact point, a time, an action or a purpose.",
        "Name the columns with `--map COLUMN=HEADER`, and what holds for every row with `--set COLUMN=VALUE`.",
        "segctl consent import addresses.csv",
        "segctl consent import addresses.csv --map email=Adresse --map at=Datum --set action=grant "
        "--set purpose=newsletter",
    ),
    "SEG814": Entry(
        "the report of refused rows cannot be written",
        "Rows that were refused are kept in a file so that nothing is lost; that file cannot be written.",
        "Name another one with `--rejected FILE` and import again: what was recorded is not recorded twice.",
        "segctl consent import consents.csv --rejected /nowhere/bad.csv",
    ),
    "SEG815": Entry(
        "not on the suppression list",
        "No suppression, bounce, complaint or erasure of that contact point is on record.",
        "`segctl suppress ls` lists what is; `segctl consent show` shows everything about one person.",
        "segctl suppress rm anna@post.example",
    ),
}
