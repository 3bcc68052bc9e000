"""REST sources: one endpoint, page by page, through `requests`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from segctl.connectors.http import problems
from segctl.connectors.http.exchange import Answer
from segctl.connectors.http.json_paths import present, put
from segctl.connectors.http.secrets import revealed
from segctl.connectors.sources import http_cursor
from segctl.connectors.sources.base import Around, Page, PositionLostError, Probe, Start, Trial, ndjson
from segctl.connectors.sources.http_client import Client, Request
from segctl.connectors.sources.http_pages import Place, Record, following, records_of, total_of, without
from segctl.model.errors import SegctlError, UsageError
from segctl.model.fetching_rest import RestFetch
from segctl.model.secrets import Secret, masked

SAME_PAGES = 3
"""So many equal pages in a row are no accident: the service does not understand how it is asked for the next."""
_NO_CONTENT = 204
_NO_ACCESS = frozenset({"SEG371", "SEG374"})
_NO_ANSWER = frozenset({"SEG372", "SEG373"})


class RestConnector:
    """Fetches the records of one REST endpoint."""

    def __init__(self, fetch: RestFetch, around: Around) -> None:
        self.fetch = fetch
        self.around = around
        self.client = Client(fetch, around)
        self._came: set[str] = set()
        self._same, self._last_digest = 0, b""
        self._has_cursor = fetch.cursor is None

    def pages(self, start: Start) -> Iterator[Page]:
        """The records from `start` on, page by page."""
        place = self._first(start)
        cursor: str | None = start.cursor
        asked = 0
        try:
            while True:
                answer = self._asked(place, start, is_first=not asked)
                records = self._records(answer)
                cursor = self._cursor(cursor, records, place)
                after = following(
                    self.fetch.pages, place, answer.value, records, url=answer.url, link=answer.links.get("next")
                )
                asked += 1
                lines = ndjson(records)
                after = self._checked(after, place, lines, asked)
                total = total_of(self.fetch.pages, answer.value)
                yield Page(lines, len(records), None if after is None else after.kept(), cursor, total)
                if after is None:
                    break
                place = after
        finally:
            self.client.close()
        if not self._has_cursor and asked and self.fetch.cursor is not None:
            name = self.fetch.cursor.field
            self.around.note(f"{self.around.source}: no record has `{name}`, so the next fetch asks for them again")

    def check(self, limit: int) -> Trial:
        """Tries one page, and says what stands in the way."""
        probes: list[Probe] = []
        where = problems.bare(_joined(self.fetch))
        try:
            page = next(self.pages(Start(limit=limit)))
        except SegctlError as error:
            detail = error.message if error.why is None else f"{error.message}: {error.why}"
            name = "credentials" if error.code in _NO_ACCESS else "answer"
            if error.code in _NO_ANSWER:
                name = "reachable"
            elif error.code != "SEG371":
                probes.append(Probe("reachable", "ok", where))
            return Trial((*probes, Probe(name, "problem", detail, error.hint)))
        records = tuple(json.loads(line) for line in page.lines.splitlines()[:limit])
        probes += [Probe("reachable", "ok", where), self._credentials_probe()]
        return Trial((*probes, *self._shape(page, records)), records)

    def _credentials_probe(self) -> Probe:
        if self.fetch.auth is None:
            return Probe("credentials", "note", "none are declared, and none were asked for")
        return Probe("credentials", "ok", f"accepted ({type(self.fetch.auth).__name__})")

    def _shape(self, page: Page, records: tuple[Mapping[str, Any], ...]) -> Iterator[Probe]:
        if not records:
            yield Probe("shape", "note", f"no records at `{self.fetch.records or 'the top'}`", "perhaps there are none")
            return
        of = "" if page.total is None else f" of {page.total:,}"
        yield Probe("shape", "ok", f"{page.count:,} records{of} on the first page: {', '.join(list(records[0])[:12])}")
        more = "more pages follow" if page.position is not None else "no further page"
        yield Probe("pages", "ok", f"{self.fetch.pages.style}: {more}")
        if self.fetch.cursor is not None and not self._has_cursor:
            hint = "correct `cursor: {field: …}`; without it every ingest fetches everything"
            yield Probe("cursor", "problem", f"no record has `{self.fetch.cursor.field}`", hint)
        elif self.fetch.cursor is not None:
            yield Probe("cursor", "ok", f"{self.fetch.cursor.field}: {page.cursor}")

    def _first(self, start: Start) -> Place:
        if start.position is not None:
            return Place.read(start.position)
        since = start.cursor
        if start.since is not None and self.fetch.cursor is not None:
            since = http_cursor.since(self.fetch.cursor, start.since, self.around.now, self.around.zone)
        return Place(self.around.now.isoformat(), since)

    def _asked(self, place: Place, start: Start, *, is_first: bool) -> Answer:
        try:
            return self.client.send(self._request(place, start))
        except UsageError as error:
            if is_first and start.position is not None and error.code == "SEG375":
                raise PositionLostError from error
            raise

    def _request(self, place: Place, start: Start) -> Request:
        fetch, pages = self.fetch, self.fetch.pages
        if pages.style in ("link", "next_url") and isinstance(place.next, str):
            hidden = ((name, text) for name, text in fetch.params if isinstance(text, Secret))
            return Request(
                fetch.method, place.next, tuple((name, revealed(text, self.around.root)) for name, text in hidden)
            )
        values: dict[str, list[str]] = {}
        for name, text in fetch.params:
            values.setdefault(name, []).append(revealed(text, self.around.root))
        body: Any = None if fetch.body is None else json.loads(fetch.body)
        for where, name, value in self._given(place, start):
            if where == "query":
                values[name] = [str(value)]
            else:
                body = {} if body is None else body
                put(body, name, value)
        pairs = tuple((name, text) for name, texts in values.items() for text in texts)
        return Request(fetch.method, _joined(fetch), pairs, None if body is None else _json(body))

    def _given(self, place: Place, start: Start) -> Iterator[tuple[str, str, str | int]]:
        """Where (query or body), name and value of what this page asks beyond the declared parameters."""
        pages, cursor = self.fetch.pages, self.fetch.cursor
        if pages.size is not None and pages.size_param:
            is_small = start.limit is not None and place.next is None and start.limit < pages.size
            yield pages.where, pages.size_param, (start.limit or 1) if is_small else pages.size
        if cursor is not None and place.since is not None:
            yield cursor.where, cursor.param, http_cursor.written(cursor, place.since)
        step = place.next
        if step is None and pages.style in ("page", "offset"):
            step = pages.first if pages.style == "page" else 0
        if step is not None and pages.param:
            yield pages.where, pages.param, step

    def _records(self, answer: Answer) -> list[Record]:
        source, value = self.around.source, answer.value
        if answer.status == _NO_CONTENT:
            return []
        inside = present(value, self.fetch.error) if self.fetch.error else None
        if inside is None and isinstance(value, dict) and isinstance(value.get("errors"), list):
            inside = value["errors"]
        if inside:
            raise problems.error_inside(source, answer.url, problems.said({"error": inside}))
        records = records_of(value, self.fetch.records)
        if records is None:
            if isinstance(value, dict) and (value.get("error") or value.get("errors")):
                raise problems.error_inside(source, answer.url, problems.said(value))
            where = f"no list of records at `{self.fetch.records}`" if self.fetch.records else "no list of records"
            hint = f"it has {', '.join(f'`{name}`' for name in list(value)[:8])}" if isinstance(value, dict) else None
            raise problems.unexpected(source, answer.url, where, None if hint is None else masked(hint))
        return records

    def _cursor(self, before: str | None, records: list[Record], place: Place) -> str | None:
        cursor = self.fetch.cursor
        if cursor is None:
            return None
        after = http_cursor.advanced(cursor, None, records, datetime.fromisoformat(place.began))
        self._has_cursor = self._has_cursor or after is not None or not records
        return http_cursor.advanced(cursor, before, records, datetime.fromisoformat(place.began))

    def _checked(self, after: Place | None, place: Place, lines: bytes, asked: int) -> Place | None:
        """The next place, when it is a new one on the source's own host."""
        source, style = self.around.source, self.fetch.pages.style
        digest = hashlib.sha256(lines).digest()
        self._same = self._same + 1 if digest == self._last_digest and lines else 1
        self._last_digest = digest
        if after is None:
            return None
        if self._same >= SAME_PAGES:
            raise problems.in_circles(source, f"{SAME_PAGES} pages in a row hold the same records")
        if asked >= self.fetch.limits.pages:
            raise problems.in_circles(source, f"more than {self.fetch.limits.pages:,} pages; see `limits: pages`")
        if isinstance(after.next, str) and style in ("link", "next_url"):
            if not self.client.is_own(after.next):
                raise problems.other_host(source, "the next page", after.next)
            after = Place(after.began, after.since, without(after.next, self._hidden()), after.received)
        mark = str(after.next)
        self._came.add(str(place.next))
        if mark in self._came:
            raise problems.in_circles(source, "the next page is one that came before")
        return after

    def _hidden(self) -> frozenset[str]:
        """Names of query parameters that no address on disk may carry."""
        secret = {name for name, text in self.fetch.params if isinstance(text, Secret)}
        return self.client.credentials.param_names | secret


def _joined(fetch: RestFetch) -> str:
    return f"{fetch.base_url}/{fetch.path.lstrip('/')}" if fetch.path else fetch.base_url


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
