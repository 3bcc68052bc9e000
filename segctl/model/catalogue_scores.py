"""Codes about scores and `rfm`; examples are traits files."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG248": Entry(
        "The score is wrong",
        "A score ranks all profiles by one trait that is a number, date or time, into 2 to 100 groups.",
        "Name a trait that can be ranked, and a number of groups in that range (2 to 9 in `rfm`).",
        "traits:\n  city_score: {score: city, best: high}",
        "traits:\n  points_score: {score: points, best: high}",
    ),
    "SEG249": Entry(
        "The `rfm` is wrong",
        "`rfm` declares eight traits whose names begin with that of the entry, so that has 50 characters at most.",
        "Choose a shorter name.",
        "traits:\n  a_name_that_is_much_too_long_to_be_the_beginning_of_others:\n"
        "    rfm: {event: order_completed, value: value}",
        "traits:\n  rfm:\n    rfm: {event: order_completed, value: value}",
    ),
}
