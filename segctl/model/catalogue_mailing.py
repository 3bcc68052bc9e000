"""Codes of audiences at mailing services (SEG920–SEG929)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG920": Entry(
        "Several audiences have the name",
        "A service may have two lists of one name, and people would be put into the wrong one.",
        "Write the id of the list that is meant under `audiences:` of the destination.",
    ),
    "SEG921": Entry(
        "No such audience at the destination",
        "The service has no list, segment or tag of that name, and `create_audiences` does not allow to make one.",
        "Make it there, name another under `audiences:`, or set `create_audiences: true`.",
    ),
    "SEG922": Entry(
        "The service cannot take this audience or setting",
        "A list whose members the service computes itself cannot be filled from outside, and names and fields have "
        "forms that a service asks for.",
        "The reason says what is asked for; correct the declaration or choose another list.",
    ),
}
