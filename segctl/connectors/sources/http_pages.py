"""How one page leads to the next: pure functions over an answer and where it was asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from segctl.connectors.http.json_paths import MISSING, at, present
from segctl.connectors.sources.base import Json
from segctl.model.fetching_rest import Pages

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands; kept as the position of a fetch.

    Attributes:
        began: When the fetch began, ISO 8601.
        since: The cursor that the fetch asks from; None asks for everything.
        next: Address, cursor, number or offset of the page; None is the first.
        received: Records before it.
    """

    began: str
    since: str | None = None
    next: str | int | None = None
    received: int = 0

    def kept(self) -> Json:
        """As a JSON value."""
        return asdict(self)

    @classmethod
    def read(cls, kept: Json) -> Place:
        """From a JSON value that `kept` gave."""
        return cls(**kept)


def records_of(value: Any, path: str) -> list[Record] | None:  # noqa: ANN401 - a JSON value
    """The records of an answer, None when it has another form: a list, one record a key, or a single one."""
    found = at(value, path)
    if found is None:
        return []
    if isinstance(found, dict):
        inner = list(found.values())
        found = inner if path and all(isinstance(item, dict) for item in inner) else [found]
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        return None
    return found


def following(
    pages: Pages,
    place: Place,
    value: Any,  # noqa: ANN401 - a JSON value
    records: list[Record],
    *,
    url: str,
    link: str | None,
) -> Place | None:
    """The place after this one; None at the end.

    Args:
        pages: As declared.
        place: Of this page.
        value: The answer's body.
        records: Of this page.
        url: That was asked, for relative addresses.
        link: Target of the `Link` header with `rel=next`.
    """
    received = place.received + len(records)
    if pages.more and not _is_true(present(value, pages.more)):
        return None
    step: str | int | None = None
    if pages.style == "link":
        step = urljoin(url, link) if link else None
    elif pages.style == "next_url":
        target = present(value, pages.path)
        step = urljoin(url, target) if isinstance(target, str) else None
    elif pages.style == "cursor":
        step = _next_cursor(pages, value, records)
    elif pages.style in ("page", "offset") and records and not _is_all(pages, value, received):
        number = place.next if isinstance(place.next, int) else pages.first
        step = number + 1 if pages.style == "page" else received
    return None if step is None else replace(place, next=step, received=received)


def total_of(pages: Pages, value: Any) -> int | None:  # noqa: ANN401 - a JSON value
    """How many records there are, when the answer says so; some say it as text."""
    if not pages.total:
        return None
    try:
        total = int(str(present(value, pages.total)))
    except ValueError:
        return None
    return total if total >= 0 else None


def _next_cursor(pages: Pages, value: Any, records: list[Record]) -> str | None:  # noqa: ANN401 - a JSON value
    holder, path = (records[-1] if records else None, pages.last) if pages.last else (value, pages.path)
    found = present(holder, path)
    if found is None or isinstance(found, dict | list | bool):
        return None
    return str(found)


def _is_all(pages: Pages, value: Any, received: int) -> bool:  # noqa: ANN401 - a JSON value
    total = total_of(pages, value)
    return total is not None and received >= total


def _is_true(value: Any) -> bool:  # noqa: ANN401 - a JSON value
    return value is not MISSING and str(value).lower() not in ("none", "false", "0", "no")


def without(url: str, names: frozenset[str]) -> str:
    """An address without some of its query parameters."""
    parts = urlsplit(url)
    if not names or not parts.query:
        return url
    pairs = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in names]
    return urlunsplit(parts._replace(query=urlencode(pairs)))
