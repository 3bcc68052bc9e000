"""Pages of every style, and the cursor between fetches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_servers import reply

from segctl.connectors.sources.base import PositionLostError, Start
from segctl.model.errors import DataError, Refused, UsageError
from segctl.model.fetching_rest import ApiKey, Cursor, Limits, Pages, RestFetch
from segctl.model.secrets import Secret

ALL = [{"id": n, "updated_at": f"2026-11-{n:02d}T10:00:00Z"} for n in range(1, 8)]
IDS = list(range(1, 8))


def ids(found: Any) -> list[int]:
    return [record["id"] for record in found.records]


def test_offsets_go_by_what_was_received_and_stop_at_the_total(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        offset = int(asked.query["offset"][0])
        reply(handler, {"items": ALL[offset : offset + 2], "meta": {"total": "7"}})  # it caps `limit` in silence

    served = serve(answering)
    pages = Pages("offset", "offset", size=5, size_param="limit", total="meta.total")

    found = fetch(RestFetch(served.url, "v1/items", records="items", pages=pages))

    assert ids(found) == IDS
    assert [asked.query["offset"][0] for asked in served.asked] == ["0", "2", "4", "6"]
    assert served.asked[0].query["limit"] == ["5"]
    assert served.asked[0].path == "/v1/items"


def test_a_total_that_changes_meanwhile_is_taken_as_it_is_now(serve: Any, fetch: Any) -> None:
    totals = iter([3, 99, 7, 7, 7])

    def answering(asked: Any, handler: Any) -> None:
        offset = int(asked.query["offset"][0])
        reply(handler, {"items": ALL[offset : offset + 2], "total": next(totals)})

    found = fetch(RestFetch(serve(answering).url, records="items", pages=Pages("offset", "offset", total="total")))

    assert ids(found) == IDS


@pytest.mark.parametrize("first", [0, 1])
def test_page_numbers_rise_until_a_page_is_empty(serve: Any, fetch: Any, first: int) -> None:
    def answering(asked: Any, handler: Any) -> None:
        at = 3 * (int(asked.query["page"][0]) - first)
        reply(handler, ALL[at : at + 3])

    served = serve(answering)

    assert ids(fetch(RestFetch(served.url, pages=Pages("page", "page", first=first)))) == IDS
    assert len(served.asked) == 4


def test_a_cursor_in_the_body_may_be_a_number_and_ends_with_nothing(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        at = int(asked.query.get("after", ["0"])[0])
        after = {} if at + 3 >= 7 else {"next": {"after": at + 3}}
        reply(handler, {"results": ALL[at : at + 3], "paging": after})

    pages = Pages("cursor", "after", "paging.next.after")

    assert ids(fetch(RestFetch(serve(answering).url, records="results", pages=pages))) == IDS


def test_the_last_id_is_the_cursor_until_nothing_more_is_there(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        at = int(asked.query.get("starting_after", ["0"])[0])
        reply(handler, {"object": "list", "data": ALL[at : at + 3], "has_more": at + 3 < 7})

    served = serve(answering)
    pages = Pages("cursor", "starting_after", last="id", more="has_more")

    assert ids(fetch(RestFetch(served.url, records="data", pages=pages))) == IDS
    assert len(served.asked) == 3


def test_a_link_header_is_followed_as_it_is(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        at = int(asked.query.get("page_info", ["0"])[0])
        link = f'</p?page_info={at + 3}&limit=3>; rel="next"' if at + 3 < 7 else ""
        before = f'<{served.url}/p?page_info=0>; rel="previous"'
        reply(handler, ALL[at : at + 3], Link=", ".join(filter(None, [before, link])))

    served = serve(answering)
    declared = RestFetch(served.url, "p", params=(("status", "any"),), pages=Pages("link"))

    assert ids(fetch(declared)) == IDS
    assert [asked.query.get("status") for asked in served.asked] == [["any"], None, None]


def test_the_next_address_may_be_relative_and_keeps_no_key(serve: Any, fetch: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("SHOP_KEY", "key-in-query-77")

    def answering(asked: Any, handler: Any) -> None:
        assert asked.query["key"] == ["key-in-query-77"]
        at = int(asked.query.get("at", ["0"])[0])
        following = f"/v2/query?at={at + 3}&key=key-in-query-77" if at + 3 < 7 else None
        reply(handler, {"records": ALL[at : at + 3], "next": following})

    auth = ApiKey("query", "key", Secret("env", ("SHOP_KEY",)))
    served = serve(answering)

    found = fetch(RestFetch(served.url, auth=auth, records="records", pages=Pages("next_url", path="next")))

    assert ids(found) == IDS
    assert "key-in-query-77" not in json.dumps(found.positions)


def test_an_interrupted_fetch_goes_on_at_its_position(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        at = int(asked.query.get("after", ["0"])[0])
        reply(handler, {"data": ALL[at : at + 3], "next": at + 3 if at + 3 < 7 else None})

    declared = RestFetch(serve(answering).url, records="data", pages=Pages("cursor", "after", "next"))
    position = json.loads(json.dumps(fetch(declared).positions[0]))

    assert ids(fetch(declared, Start(position))) == IDS[3:]


def test_a_position_that_has_expired_is_lost_not_an_error(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        reply(handler, {"errors": {"page_info": "Invalid value."}}, 400)

    declared = RestFetch(serve(answering).url, pages=Pages("cursor", "after", "next"))

    with pytest.raises(PositionLostError):
        fetch(declared, Start({"began": "2026-11-21T12:00:00+00:00", "next": "old"}))


def test_what_is_new_is_asked_for_from_a_little_before_the_cursor(serve: Any, fetch: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, ALL))
    declared = RestFetch(served.url, cursor=Cursor("updated_at", "updated_at_min"))

    first = fetch(declared)
    fetch(declared, Start(cursor=first.cursors[-1]))

    assert first.cursors == ["2026-11-07T10:00:00+00:00"]
    assert "updated_at_min" not in served.asked[0].query
    assert served.asked[1].query["updated_at_min"] == ["2026-11-07T09:59:00Z"]


def test_a_cursor_never_passes_the_moment_the_fetch_began(serve: Any, fetch: Any) -> None:
    future = [{"id": 1, "updated_at": "2099-01-01T00:00:00Z"}, {"id": 2, "updated_at": "no time"}, {"id": 3}]
    served = serve(lambda asked, handler: reply(handler, future))

    found = fetch(RestFetch(served.url, cursor=Cursor("updated_at", "since")))

    assert found.cursors == ["2026-11-21T12:00:00+00:00"]


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("epoch_s", 1795000000, "1794999940"),
        ("epoch_ms", "1795000000000", "1794999940000"),
        ("date", "2026-11-07", "2026-11-06"),
        ("number", 12345678901234567890, "12345678901234567890"),
        ("text", "b", "b"),
    ],
)
def test_a_cursor_is_written_in_the_form_of_the_service(
    serve: Any, fetch: Any, form: Any, value: Any, expected: str
) -> None:
    least = {"text": "a", "date": "2026-11-01"}.get(form, 7)
    served = serve(lambda asked, handler: reply(handler, [{"at": value}, {"at": least}]))
    declared = RestFetch(served.url, cursor=Cursor("at", "since", form))

    fetch(declared, Start(cursor=fetch(declared).cursors[-1]))

    assert served.asked[1].query["since"] == [expected]


def test_a_template_puts_the_cursor_into_a_filter(serve: Any, fetch: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, []))
    cursor = Cursor("at", "filter", template="greater-than(updated,{cursor})", overlap_s=0)
    declared = RestFetch(served.url, params=(("filter", "none"),), cursor=cursor)

    fetch(declared)
    fetch(declared, Start(cursor="2026-11-07T10:00:00.5+00:00"))

    assert served.asked[0].query["filter"] == ["none"]
    assert served.asked[1].query["filter"] == ["greater-than(updated,2026-11-07T10:00:00.500Z)"]


@pytest.mark.parametrize(
    ("since", "sent"),
    [("2026-11-01", "2026-10-31T23:00:00Z"), ("2026-11-01T08:00:00+00:00", "2026-11-01T08:00:00Z")],
)
def test_since_is_read_in_the_zone_of_the_project(serve: Any, fetch: Any, since: str, sent: str) -> None:
    served = serve(lambda asked, handler: reply(handler, []))
    declared = RestFetch(served.url, cursor=Cursor("at", "since", overlap_s=0))

    fetch(declared, Start(since=since, cursor="2026-01-01T00:00:00+00:00"), zone="Europe/Berlin")

    assert served.asked[0].query["since"] == [sent]


def test_page_and_cursor_may_stand_in_the_body_of_a_post(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        after = json.loads(asked.body)["variables"].get("after")
        reply(handler, {"data": {"people": {"nodes": ALL[:3] if after is None else ALL[3:], "end": after is None}}})

    served = serve(answering)
    pages = Pages("cursor", "variables.after", last="id", more="data.people.end", where="body")
    body = json.dumps({"query": "{people}", "variables": {}})
    declared = RestFetch(served.url, method="POST", body=body, records="data.people.nodes", pages=pages)

    assert ids(fetch(declared)) == IDS
    assert json.loads(served.asked[1].body) == {"query": "{people}", "variables": {"after": "3"}}


def test_records_by_key_and_numbers_come_as_they_are(serve: Any, fetch: Any) -> None:
    raw = b'{"contacts": {"7": {"id": 7, "pay": 12345678901234567.123, "n": 9007199254740993, "name": "\\u00fc"}}}'
    served = serve(lambda asked, handler: reply(handler, raw=raw))

    found = fetch(RestFetch(served.url, records="contacts"))

    assert found.records == [{"id": 7, "pay": "12345678901234567.123", "n": 9007199254740993, "name": "ü"}]


@pytest.mark.parametrize("body", [{"results": [1, 2]}, {"other": []}, {"results": "none"}, 7, ["a"]])
def test_no_records_where_they_are_declared_is_said(serve: Any, fetch: Any, body: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, body))

    with pytest.raises(DataError, match="no list of records") as caught:
        fetch(RestFetch(served.url, records="results"))

    assert caught.value.code == "SEG379"


@pytest.mark.parametrize("body", [{"results": []}, {"results": None}, {"results": {}}])
def test_no_records_are_an_answer_too(serve: Any, fetch: Any, body: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, body))

    assert fetch(RestFetch(served.url, records="results")).records == []


def test_no_content_is_no_records(serve: Any, fetch: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, raw=b"", status=204, Content_Type=""))

    assert fetch(RestFetch(served.url, records="data.items")).records == []


def test_a_word_that_is_no_time_is_said_before_anything_is_asked(serve: Any, fetch: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, []))

    with pytest.raises(UsageError) as caught:
        fetch(RestFetch(served.url, cursor=Cursor("at", "since")), Start(since="2026-13-45"))

    assert caught.value.code == "SEG384"
    assert served.asked == []


def test_a_cursor_that_does_not_move_is_an_error(serve: Any, fetch: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, {"data": ALL, "next": "same"}))

    with pytest.raises(DataError, match="do not move on"):
        fetch(RestFetch(served.url, records="data", pages=Pages("cursor", "after", "next")))

    assert len(served.asked) == 2


def test_pages_that_lead_back_are_an_error(serve: Any, fetch: Any) -> None:
    steps = {None: "a", "a": "b", "b": "c", "c": "a"}

    def answering(asked: Any, handler: Any) -> None:
        at = asked.query.get("after", [None])[0]
        reply(handler, {"data": [{"id": at}], "next": steps[at]})

    with pytest.raises(DataError, match="do not move on"):
        fetch(RestFetch(serve(answering).url, records="data", pages=Pages("cursor", "after", "next")))


def test_a_service_that_ignores_the_page_number_is_an_error(serve: Any, fetch: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, ALL))

    with pytest.raises(DataError, match="do not move on"):
        fetch(RestFetch(served.url, pages=Pages("page", "pgae")))

    assert len(served.asked) == 3


def test_endless_new_pages_end_at_the_limit(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        reply(handler, [{"id": asked.query["page"][0]}])

    with pytest.raises(DataError, match="do not move on"):
        fetch(RestFetch(serve(answering).url, pages=Pages("page", "page"), limits=Limits(pages=5)))


def test_one_page_that_comes_twice_is_no_error(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        at = int(asked.query.get("after", ["0"])[0])
        reply(handler, {"data": ALL[:3] if at < 2 else ALL[3:], "next": at + 1 if at < 2 else None})

    found = fetch(RestFetch(serve(answering).url, records="data", pages=Pages("cursor", "after", "next")))

    assert ids(found) == [*IDS[:3], *IDS]


@pytest.mark.parametrize("style", ["link", "next_url"])
def test_a_next_page_on_another_host_gets_nothing(serve: Any, fetch: Any, style: Any) -> None:
    thief = serve(lambda asked, handler: reply(handler, []))

    def answering(asked: Any, handler: Any) -> None:
        reply(handler, {"data": ALL, "next": thief.url}, Link=f'<{thief.url}/x>; rel="next"')

    with pytest.raises(Refused) as caught:
        fetch(RestFetch(serve(answering).url, records="data", pages=Pages(style, path="next")))

    assert caught.value.code == "SEG378"
    assert thief.asked == []
