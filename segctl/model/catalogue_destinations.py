"""Codes of destinations (SEG890–SEG919)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG890": Entry(
        "a destination without name or kind, or declared twice",
        "Each file of `destinations/` declares one destination, with a name of its own and the kind of connector.",
        "Write `destination: NAME` and `kind: KIND`; `segctl help destinations` lists the kinds.",
        "destination: news",
        "destination: news\nkind: klaviyo\napi_key: {env: KLAVIYO_API_KEY}",
    ),
    "SEG891": Entry(
        "a kind of destination that nobody knows",
        "Kinds are those that ship with segctl and those that installed packages bring.",
        "Correct the name, or install the package; `segctl help destinations` lists the kinds.",
        "destination: news\nkind: klavio",
        "destination: news\nkind: klaviyo",
    ),
    "SEG892": Entry(
        "a setting that this kind of destination does not have, or not so",
        "The key is unknown, lacks, or has a value of the wrong form; or the kind cannot do what is asked of it.",
        "`segctl help destination-KIND` lists the settings of a kind with their forms.",
        "destination: hook\nkind: webhook\nurl: https://example.com/hook\nper: household",
        "destination: hook\nkind: webhook\nurl: https://example.com/hook\nper: person",
    ),
    "SEG893": Entry(
        "a destination that speaks of something the project does not have",
        "`identify` and `fields` name traits and identifiers, `audiences` segments, `purposes` those of `segctl.yaml`.",
        "Correct the name; `segctl ls traits` and `segctl ls` list them.",
        "fields: {first_name: frist_name}",
        "fields: {first_name: first_name}",
    ),
    "SEG894": Entry(
        "a segment that is sent to no destination",
        "`send_to` names a destination that no file of `destinations/` declares. A project without that folder is not "
        "asked.",
        "Correct the name, or declare the destination.",
        "send_to: [klavio]",
        "send_to: [klaviyo]",
    ),
    "SEG895": Entry(
        "two segments that go to one audience",
        "`audiences` gives two segments the same name or id. Each segment is compared with what was accepted for it "
        "alone, so who leaves one of them is taken out of the audience, also while in the other. Where the service "
        "tells segments apart itself, such as by a column, nothing is wrong.",
        "Make one segment with `any` of both, or name two audiences.",
        "audiences: {winback: Newsletter, readers: Newsletter}",
        "audiences: {winback: Rückgewinnung, readers: Newsletter}",
    ),
    "SEG897": Entry(
        "a host that a destination may not speak to",
        "An address leads to a host that is neither the service's own nor named under `allowed_hosts`.",
        "If the host is meant, name it under `allowed_hosts` of the destination; otherwise correct the address.",
        "destination: news\nkind: klaviyo\nbase_url: https://proxy.example.com",
        "destination: news\nkind: klaviyo\nbase_url: https://proxy.example.com\nallowed_hosts: [proxy.example.com]",
    ),
    "SEG898": Entry(
        "an address that people's data must not be sent to",
        "The address is without TLS, or its name leads to a private address, which is refused unless it is allowed.",
        "Write `https://`. If the service is your own, inside your network, `allow_http: true` or "
        "`allow_private: true` says so.",
    ),
    "SEG899": Entry(
        "a destination that redirects",
        "The service answered with a redirect. It could lead credentials and people's data to somebody else, so none "
        "is followed.",
        "If the service has moved, correct the address in the declaration.",
    ),
    "SEG900": Entry(
        "a destination that refuses the credentials",
        "The service answered 401 or 403. A token was renewed once before, where there is one.",
        "Look at the key, its rights and its age; `segctl doctor --online NAME` tries it alone.",
    ),
    "SEG901": Entry(
        "a destination that refuses what is asked",
        "The service answered with a status that no other rows would change, such as 404: what the options name is "
        "not there, or not allowed.",
        "Compare the options of the destination with the service.",
    ),
    "SEG902": Entry(
        "a webhook's secret that cannot sign",
        "Standard Webhooks signs with 24 to 64 bytes, written as `whsec_` and their base64.",
        "Take the secret that the receiver gave, or make one and give it to the receiver.",
    ),
    "SEG903": Entry(
        "a webhook that is gone",
        "The receiver answered 410: it wants nothing more at this address, so nothing more is sent there.",
        "Correct `url`, or take the destination out of `send_to` of its segments and delete its declaration.",
    ),
    "SEG904": Entry(
        "files of a destination that cannot be written",
        "The folder cannot be made, written or read: its rights, a full disk, a file of that name.",
        "Look at the folder and the disk, then push again: what was not written is still to be sent.",
    ),
    "SEG905": Entry(
        "a folder of a file destination that is not as it was left",
        "The manifest or the file with the audience's members is gone or has been changed, so changes cannot be added.",
        "Put it back; or move the folder away, and `segctl reconcile NAME` delivers everybody anew.",
    ),
    "SEG906": Entry(
        "a table that members cannot be written into",
        "The address is not one of PostgreSQL or SQLite, or the table lacks a column, a unique key or the right.",
        "Correct the declaration, or change the table as the hint says; the table is made when it is not there.",
    ),
    "SEG907": Entry(
        "a package that a kind of destination needs is not installed",
        "Some kinds need more than what segctl brings: `sql` SQLAlchemy and a driver, `lake` Delta Lake.",
        "Install the extra that the hint names.",
    ),
    "SEG908": Entry(
        "mails that cannot be sent as they are declared",
        "A text is missing, wants a field that the destination does not have, cannot stand in a header, lacks a way to "
        "unsubscribe, or the server offers no safe connection.",
        "Correct the declaration as the hint says; `segctl doctor --online NAME` tries it alone.",
    ),
}
