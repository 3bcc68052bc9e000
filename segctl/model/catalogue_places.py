"""Codes about places and distances; examples are segment files."""

from __future__ import annotations

from segctl.model.catalogue import Entry

_HEAD = "segment: tested\nwhere: "

ENTRIES: dict[str, Entry] = {
    "SEG228": Entry(
        "The postal code is not known",
        "Distances are measured from where a postal code lies. Those of Germany, Austria and Switzerland come with "
        "segctl; a code needs a country, its own or that of `near: {country: DE}` in `segctl.yaml`.",
        "Write one of the codes that the hint gives, add the country, or declare a table of your own with `near: "
        "{postal_codes: FILE}`.",
        _HEAD + '{near: {postal_code: "80330", country: DE}, within: 30 km, trait: country}',
        _HEAD + '{near: {postal_code: "80331", country: DE}, within: 30 km, trait: country}',
    ),
    "SEG229": Entry(
        "Not a distance",
        "A distance is a number with one of the units `m`, `km` and `miles`, between one metre and half the way round "
        "the Earth.",
        "Write it as `30 km`, `500 m` or `10 miles`.",
        _HEAD + '{near: {postal_code: "80331", country: DE}, within: 30, trait: country}',
        _HEAD + '{near: {postal_code: "80331", country: DE}, within: 30 km, trait: country}',
    ),
    "SEG235": Entry(
        "It is not clear where a profile is",
        "`near` needs the trait with the profile's postal code, or its latitude and longitude: in the condition, or "
        "once for all under `near` in `segctl.yaml`.",
        "Add `trait: postal_code`, `trait: {postal_code: zip, country: country}` or `trait: {latitude: lat, longitude: "
        "lon}`.",
        _HEAD + '{near: {postal_code: "80331", country: DE}, within: 30 km}',
        _HEAD + '{near: {postal_code: "80331", country: DE}, within: 30 km, trait: country}',
    ),
    "SEG246": Entry(
        "The list of places is wrong",
        "`places:` in `segctl.yaml` declares places, inline or in a CSV file with the columns `latitude` and "
        "`longitude`, or `postal_code` and perhaps `country`. Every line must name a place, and `near` can only ask "
        "for declared lists.",
        "Mend the line, name the columns where they have other names, or declare the list.",
        _HEAD + "{near: {places: stores}, within: 30 km, trait: country}",
    ),
}
