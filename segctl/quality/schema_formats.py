"""Texts that surely have a format: a quick test that never accepts a wrong one; the rest is decided exactly."""

from __future__ import annotations

_DAY = r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_DATE = rf"[1-9][0-9]{{3}}-{_DAY}"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_LABEL = "[a-z0-9](?:[a-z0-9-]?[a-z0-9]){0,10}"
_HOST = rf"(?:{_LABEL}\.){{1,4}}[a-z]{{2,6}}"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

SURE: dict[str, str] = {
    "date": rf"^{_DATE}$",
    "time": rf"^{_TIME}$",
    "date-time": rf"^{_DATE}T{_TIME}$",
    "email": rf"^[A-Za-z0-9_]{{1,20}}(?:[.+-][A-Za-z0-9_]{{1,20}}){{0,2}}@{_HOST}$",
    "uuid": r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "ipv4": rf"^{_BYTE}(?:\.{_BYTE}){{3}}$",
    "uri": rf"^https?://{_HOST}(?:/[A-Za-z0-9_.-]{{0,40}}){{0,6}}$",
    "duration": r"^P[0-9]{1,4}[DWMY]$",
}  # fmt: skip
SURE["idn-email"] = SURE["email"]
SURE["iri"] = SURE["uri"]
KNOWN = frozenset({
    "date", "time", "date-time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri",
    "uri-reference", "iri", "iri-reference", "uuid", "uri-template", "json-pointer", "relative-json-pointer", "regex",
})  # fmt: skip
"""Formats of the draft; another name asserts nothing."""
