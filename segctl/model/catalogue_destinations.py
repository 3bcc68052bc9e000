"""Codes of destinations (SEG890–SEG919)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
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
}
