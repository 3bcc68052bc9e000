"""Codes about sources of tracking records."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG390": Entry(
        "Nobody to tell visitors apart by",
        "A source of tracking records needs identifiers, and segctl.yaml declares none that it could use.",
        "Declare `identifiers:` with a known and an anonymous one, or map them with `key:`.",
        "source: web\npath: data/events.jsonl\ntracking: segment",
    ),
    "SEG391": Entry(
        "`events` of tracking records is no map of names",
        "The shape of the records says already how they become events; `events` only renames what the sender calls "
        "otherwise.",
        "Write the sender's name and the declared event: `events: {Spin Result: spin_result}`.",
        "tracking: segment\nevents: [order_completed]",
    ),
    "SEG392": Entry(
        "Sessions without their event",
        "Sessions become events of a kind that segctl.yaml must declare, with properties of fitting types.",
        "Declare `session: {properties: {duration: integer, pages: integer, entry_page: text}}` under `events`, or "
        "write `sessions: none`.",
        "tracking: segment\nsessions: {gap: 30 minutes}",
    ),
    "SEG393": Entry(
        "IP address both dropped and kept",
        "`geo` turns the IP address into a region and drops it, but `properties` maps the address itself.",
        "Delete one of the two.",
        "geo: {mmdb: cities.mmdb}\nproperties: {ip: ip}",
    ),
    "SEG394": Entry(
        "Key that tracking records do not take",
        "The shape of the records says already when a statement holds, that rows add up, and who it is about.",
        "Delete the key, or declare the file without `tracking`.",
        "tracking: ga360\nprofiles: all",
    ),
    "SEG395": Entry(
        "Reading an MMDB file needs one more package",
        "The optional package that reads MaxMind DB files is not installed.",
        "Run `pip install 'segctl[geo]'`.",
    ),
    "SEG396": Entry(
        "Not an MMDB file",
        "The file under `geo` is not there, or is no MaxMind DB.",
        "Name a .mmdb file of cities or countries, such as GeoLite2-City.mmdb; the path starts at the project folder.",
        "geo: {mmdb: data/citys.mmdb}",
    ),
    "SEG520": Entry(
        "Record of another shape",
        "The record lacks what every record of the declared shape has, such as a `type` that is known.",
        "Correct `tracking`, or keep such records in a file of their own; until then they stay in quarantine.",
        '{"type": "delete", "userId": "u1"}',
    ),
    "SEG521": Entry(
        "Tracking event without a time",
        "None of the fields in which the shape keeps times holds one.",
        "Correct the sender; until then the record stays in quarantine.",
        '{"type": "track", "event": "Order Completed", "timestamp": "NOW"}',
    ),
    "SEG522": Entry(
        "Tracking event without a name",
        "The record says that something happened, but not what.",
        "Correct the sender; until then the record stays in quarantine.",
        '{"type": "track", "event": "", "timestamp": "2026-11-01T10:00:00Z"}',
    ),
    "SEG523": Entry(
        "No known tracking shape",
        "`--as tracking` looks for the shapes of known tools, and the first records of the file have none of them.",
        "Read `segctl help tracking`; other files are proposed with `--as EVENT` or `--as profiles`.",
    ),
}
