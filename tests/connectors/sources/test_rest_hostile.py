"""Services that fail, lie, dribble and lead astray."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from typing import Any

import pytest
from api_servers import QUICK, reply

from segctl.connectors.sources.base import Around, Start
from segctl.connectors.sources.http import RestConnector
from segctl.model.errors import SegctlError
from segctl.model.fetching_rest import ApiKey, Basic, Bearer, ClientCredentials, Limits, Pages, RestFetch
from segctl.model.secrets import Secret

TOKEN = "tok_planted_5150"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


BEARER = Bearer(Secret("env", ("TOKEN",)))


def failed(fetch: Any, declared: RestFetch, **around: Any) -> SegctlError:
    with pytest.raises(SegctlError) as caught:
        fetch(declared, **around)
    return caught.value


def flaky(*statuses: int, **headers: str) -> Any:
    left = list(statuses)

    def answering(asked: Any, handler: Any) -> None:
        status = left.pop(0) if left else 200
        reply(handler, [{"id": 1}] if status == 200 else {"message": "busy"}, status, **headers)

    return answering


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again_with_growing_waits(serve: Any, fetch: Any, status: int) -> None:
    found = fetch(RestFetch(serve(flaky(status, status, status)).url, limits=QUICK))

    assert found.records == [{"id": 1}]
    assert found.slept == [1.0, 2.0, 4.0]  # chance gives 1: the whole bound


def test_jitter_is_full_and_capped(serve: Any, fetch: Any) -> None:
    limits = Limits(retries=9, backoff_s=4, longest_backoff_s=10)

    found = fetch(RestFetch(serve(flaky(*[500] * 5)).url, limits=limits), chance=lambda: 0.25)

    assert found.slept == [1.0, 2.0, 2.5, 2.5, 2.5]


@pytest.mark.parametrize("status", [429, 500])
def test_a_failure_that_stays_ends_the_fetch_and_says_so(serve: Any, fetch: Any, status: int) -> None:
    served = serve(flaky(*[status] * 99))

    error = failed(fetch, RestFetch(served.url, limits=QUICK))

    assert (error.code, error.exit_code, error.why) == ("SEG376", 75, "busy")
    assert len(served.asked) == 4


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
def test_a_refusal_is_never_repeated(serve: Any, fetch: Any, status: int) -> None:
    served = serve(flaky(status))

    assert failed(fetch, RestFetch(served.url, limits=QUICK)).code == "SEG375"
    assert len(served.asked) == 1


def test_a_post_is_repeated_only_when_nothing_was_done_or_it_only_reads(serve: Any, fetch: Any) -> None:
    limited, broken, read_only = serve(flaky(429)), serve(flaky(500)), serve(flaky(500))

    fetch(RestFetch(limited.url, method="POST", limits=QUICK))
    error = failed(fetch, RestFetch(broken.url, method="POST", limits=QUICK))
    fetch(RestFetch(read_only.url, method="POST", repeatable=True, limits=QUICK))

    assert error.code == "SEG376"
    assert [len(served.asked) for served in (limited, broken, read_only)] == [2, 1, 2]


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"Retry_After": "7"}, [7.0]),
        ({"Retry_After": "2.5"}, [2.5]),
        ({"Retry_After": "Sat, 21 Nov 2026 12:00:30 GMT", "Date": "Sat, 21 Nov 2026 12:00:10 GMT"}, [20.0]),
        ({"Retry_After": "soon"}, [1.0]),
        ({"Retry_After": "-5"}, [0.0]),
    ],
)
def test_retry_after_is_obeyed_in_all_its_forms(serve: Any, fetch: Any, headers: Any, waits: Any) -> None:
    left = [429]

    def answering(asked: Any, handler: Any) -> None:
        if not left:
            reply(handler, [])
            return
        handler.send_response_only(left.pop())
        for name, value in (headers | {"Content-Length": "0"}).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    assert fetch(RestFetch(serve(answering).url, limits=QUICK)).slept == waits


def test_a_pause_longer_than_allowed_ends_the_fetch(serve: Any, fetch: Any) -> None:
    error = failed(fetch, RestFetch(serve(flaky(429, Retry_After="86400")).url))

    assert error.code == "SEG377"
    assert "86,400 s" in error.message


def test_a_daily_limit_is_not_waited_for(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        reply(handler, {"errorType": "RATE_LIMIT", "policyName": "DAILY"}, 429)

    served = serve(answering)

    assert failed(fetch, RestFetch(served.url)).code == "SEG377"
    assert len(served.asked) == 1


def test_nothing_left_is_waited_out_before_the_next_page(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        page = int(asked.query["page"][0])
        reply(handler, [{"id": page}] if page < 3 else [], RateLimit_Remaining="0", RateLimit_Reset="12")

    found = fetch(RestFetch(serve(answering).url, pages=Pages("page", "page")))

    assert found.slept == [12.0, 12.0]
    assert found.notes[0] == "shop: waiting 12 s for the service"


def test_a_declared_rate_spaces_requests(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        page = int(asked.query["page"][0])
        reply(handler, [{"id": page}] if page < 4 else [])

    found = fetch(RestFetch(serve(answering).url, pages=Pages("page", "page"), limits=Limits(requests=2, per_s=20)))

    assert len(found.slept) == 3
    assert all(8 < slept < 31 for slept in found.slept)


def test_an_answer_cut_in_the_middle_is_asked_for_again(serve: Any, fetch: Any) -> None:
    left = [1, 1]

    def answering(asked: Any, handler: Any) -> None:
        if left:
            left.pop()
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b'[{"id": 1}]')
            handler.close_connection = True
        else:
            reply(handler, [{"id": 2}])

    assert fetch(RestFetch(serve(answering).url, limits=QUICK)).records == [{"id": 2}]


def test_half_a_json_text_without_a_length_is_asked_for_again(serve: Any, fetch: Any) -> None:
    left = [b'[{"id": 1}, {"id"', b""]

    def answering(asked: Any, handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(left.pop(0) if left[0] else b'[{"id": 2}]')
        handler.close_connection = True

    assert fetch(RestFetch(serve(answering).url, limits=QUICK)).records == [{"id": 2}]


def test_a_connection_that_is_dropped_is_tried_again(serve: Any, fetch: Any) -> None:
    left = [1]

    def answering(asked: Any, handler: Any) -> None:
        if left:
            left.pop()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        else:
            reply(handler, [])

    assert fetch(RestFetch(serve(answering).url, limits=QUICK)).slept == [1.0]


def test_a_chunked_answer_that_breaks_off_is_an_error(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"ff\r\n[{}")
        handler.close_connection = True

    error = failed(fetch, RestFetch(serve(answering).url, limits=Limits(retries=1)))

    assert (error.code, error.exit_code) == ("SEG381", 75)


@pytest.mark.parametrize(
    ("body", "exit_code"),
    [
        (b'{"data": [{"id": NaN}]}', 3),
        (b'{"data": [], "data": []}', 3),
        (b"[1] and more]", 3),
        (b"<html>log in</html>", 3),
        (b'{"data": [{"id": "1', 75),
    ],
)
def test_only_what_broke_off_is_worth_another_try(body: bytes, exit_code: int, serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    assert failed(fetch, RestFetch(serve(answering).url, limits=Limits(retries=0))).exit_code == exit_code


def test_a_body_that_dribbles_ends_at_its_deadline(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.05)

    began = time.monotonic()
    error = failed(fetch, RestFetch(serve(answering).url, limits=Limits(retries=0, page_s=0.3, read_s=5)))

    assert error.code == "SEG381"
    assert time.monotonic() - began < 3


def test_headers_that_dribble_end_at_the_deadline(fetch: Any) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def dribble() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

    threading.Thread(target=dribble, daemon=True).start()
    port = listening.getsockname()[1]
    try:
        limits = Limits(retries=0, connect_s=0.1, page_s=0.2, read_s=5)
        error = failed(fetch, RestFetch(f"http://127.0.0.1:{port}", limits=limits))
    finally:
        stop.set()
        listening.close()

    assert (error.code, error.message.endswith("did not come in time")) == ("SEG381", True)


def test_an_endless_body_ends_at_its_size(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.end_headers()
        while True:
            handler.wfile.write(b" " * 65536)

    error = failed(fetch, RestFetch(serve(answering).url, limits=Limits(page_bytes=2 * 1024 * 1024)))

    assert (error.code, error.exit_code) == ("SEG381", 3)


def test_a_small_body_that_unpacks_without_end_ends_at_its_size(serve: Any, fetch: Any) -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    def answering(asked: Any, handler: Any) -> None:
        reply(handler, raw=bomb, Content_Encoding="gzip")

    error = failed(fetch, RestFetch(serve(answering).url, limits=Limits(page_bytes=1024 * 1024)))

    assert error.code == "SEG381"


def test_a_packed_answer_is_unpacked(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        assert "gzip" in asked.headers["accept-encoding"]
        reply(handler, raw=gzip.compress(b'\xef\xbb\xbf[{"id": 1}]'), Content_Encoding="gzip")

    assert fetch(RestFetch(serve(answering).url)).records == [{"id": 1}]


def test_a_page_to_log_in_is_no_data(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        reply(handler, raw=b"<html>please log in</html>", Content_Type="text/html; charset=utf-8")

    served = serve(answering)
    error = failed(fetch, RestFetch(served.url))

    assert error.code == "SEG379"
    assert "`text/html`, not JSON" in error.message
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    ("declared", "body"),
    [
        ({"error": "error"}, {"error": {"code": 2008, "message": "no such group"}, "data": []}),
        ({"error": "meta.failed"}, {"meta": {"failed": "no such group"}, "data": []}),
        ({}, {"errors": [{"message": "no such group"}], "data": None}),
        ({}, {"error": "no such group"}),
    ],
)
def test_an_error_inside_a_success_is_an_error(serve: Any, fetch: Any, declared: Any, body: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, body))

    error = failed(fetch, RestFetch(served.url, records="data", **declared))

    assert (error.code, error.why) == ("SEG380", "no such group")


@pytest.mark.parametrize("auth", ["bearer", "basic", "header", "query", "own header"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_never_follow_a_redirect_to_another_host(serve: Any, fetch: Any, auth: str, status: int) -> None:
    secret = Secret("env", ("TOKEN",))
    kinds: dict[str, Any] = {
        "bearer": BEARER,
        "basic": Basic("me", secret),
        "header": ApiKey("header", "Api-Token", secret),
        "query": ApiKey("query", "key", secret),
    }
    thief = serve(lambda asked, handler: reply(handler, []))
    served = serve(lambda asked, handler: reply(handler, None, status, Location=f"{thief.url}/steal"))
    headers = (("X-Own", secret),) if auth == "own header" else ()

    error = failed(fetch, RestFetch(served.url, auth=kinds.get(auth), headers=headers))

    assert error.code == "SEG378"
    assert thief.asked == []
    assert len(served.asked) == 1


def test_a_redirect_on_the_same_host_is_followed_with_credentials(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        if asked.path == "/old":
            reply(handler, None, 301, Location="/new?a=1")
        else:
            reply(handler, [{"auth": asked.headers["authorization"], "a": asked.query["a"][0]}])

    found = fetch(RestFetch(serve(answering).url, "old", auth=BEARER, params=(("b", "2"),)))

    assert found.records == [{"auth": f"Bearer {TOKEN}", "a": "1"}]


def test_redirects_in_circles_end(serve: Any, fetch: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, None, 302, Location="/again"))

    assert failed(fetch, RestFetch(served.url)).code == "SEG375"
    assert len(served.asked) == 6


def test_nobody_there_is_said_without_the_query(fetch: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    auth = ApiKey("query", "key", Secret("env", ("TOKEN",)))

    error = failed(fetch, RestFetch(f"http://127.0.0.1:{port}", "v1", auth=auth, limits=QUICK))

    assert (error.code, error.exit_code) == ("SEG372", 75)
    assert error.message == f"`shop`: no answer from http://127.0.0.1:{port}/v1"


def test_a_name_that_does_not_exist_is_said(fetch: Any) -> None:
    error = failed(fetch, RestFetch("https://service.invalid", limits=Limits(retries=1)))

    assert error.code == "SEG372"


def test_each_kind_of_credentials_arrives_as_services_want_it(serve: Any, fetch: Any) -> None:
    secret = Secret("env", ("TOKEN",))
    served = serve(lambda asked, handler: reply(handler, []))

    for auth in (BEARER, Basic("me", secret), Basic(secret, ""), ApiKey("header", "Authorization", secret, "Key "),
                 ApiKey("query", "api_key", secret)):  # fmt: skip
        fetch(RestFetch(served.url, auth=auth))

    sent = [asked.headers.get("authorization") for asked in served.asked]
    assert sent[0] == f"Bearer {TOKEN}"
    assert sent[1] == "Basic bWU6dG9rX3BsYW50ZWRfNTE1MA=="  # base64 of me:tok_planted_5150
    assert sent[2] == "Basic dG9rX3BsYW50ZWRfNTE1MDo="
    assert sent[3] == f"Key {TOKEN}"
    assert sent[4] is None
    assert served.asked[4].query["api_key"] == [TOKEN]


def test_passwords_of_the_machine_are_not_borrowed(serve: Any, fetch: Any, tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password borrowed\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    def answering(asked: Any, handler: Any) -> None:
        reply(handler, [{"id": 1}] if asked.query["p"] == ["1"] else [], Set_Cookie="session=1; Path=/")

    served = serve(answering)

    fetch(RestFetch(served.url, pages=Pages("page", "p")))

    assert len(served.asked) == 2
    assert all("authorization" not in asked.headers and "cookie" not in asked.headers for asked in served.asked)


class TokenService:
    """Gives tokens t1, t2, …; the resource accepts the newest only."""

    def __init__(self, life_s: object = 3600) -> None:
        self.given, self.life_s, self.forms = 0, life_s, []

    def __call__(self, asked: Any, handler: Any) -> None:
        if asked.path == "/token":
            self.given += 1
            self.forms.append((asked.body.decode(), asked.headers.get("authorization")))
            reply(handler, {"access_token": f"access-{self.given}-xyz", "expires_in": self.life_s})
        elif asked.headers.get("authorization") == f"Bearer access-{self.given}-xyz":
            page = int(asked.query["page"][0])
            reply(handler, [{"id": page}] if page < 4 else [])
        else:
            reply(handler, {"message": "expired"}, 401)


def oauth(url: str, **more: Any) -> ClientCredentials:
    return ClientCredentials(f"{url}/token", "segctl", Secret("env", ("TOKEN",)), **more)


def test_a_token_is_fetched_once_and_used_for_all_pages(serve: Any, fetch: Any) -> None:
    service = TokenService()
    served = serve(service)

    found = fetch(RestFetch(served.url, auth=oauth(served.url, scope="read"), pages=Pages("page", "page")))

    assert len(found.records) == 3
    assert service.forms == [(f"grant_type=client_credentials&scope=read&client_id=segctl&client_secret={TOKEN}", None)]


def test_the_client_may_name_itself_by_basic_authentication(serve: Any, fetch: Any) -> None:
    service = TokenService()
    served = serve(service)

    fetch(RestFetch(served.url, auth=oauth(served.url, style="basic"), pages=Pages("page", "page")))

    assert service.forms == [("grant_type=client_credentials", "Basic c2VnY3RsOnRva19wbGFudGVkXzUxNTA=")]


def test_a_token_that_is_refused_is_renewed_once(serve: Any, fetch: Any) -> None:
    service = TokenService()

    def answering(asked: Any, handler: Any) -> None:
        if asked.path != "/token" and asked.query["page"] == ["2"] and service.given == 1:
            reply(handler, {"message": "INVALID_SESSION_ID"}, 401)
        else:
            service(asked, handler)

    served = serve(answering)
    assert len(fetch(RestFetch(served.url, auth=oauth(served.url), pages=Pages("page", "page"))).records) == 3
    assert service.given == 2


def test_a_token_that_never_works_is_an_error(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        if asked.path == "/token":
            reply(handler, {"access_token": "never-good", "expires_in": "soon"})
        else:
            reply(handler, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}], 401)

    served = serve(answering)
    error = failed(fetch, RestFetch(served.url, auth=oauth(served.url)))

    assert (error.code, error.why) == ("SEG374", "Session expired; INVALID_SESSION_ID")
    assert [asked.path for asked in served.asked] == ["/token", "/", "/token", "/"]


def test_an_expired_token_is_renewed_before_it_is_refused(serve: Any, tmp_path: Any) -> None:
    from api_servers import NOW

    service = TokenService(100)
    served = serve(service)
    connector = RestConnector(
        RestFetch(served.url, auth=oauth(served.url), pages=Pages("page", "page")), Around("shop", tmp_path, NOW)
    )
    clock = iter([0.0, 0.0, 69.0, 71.0, 71.0, 71.0, 71.0])
    connector.client.credentials.clock = lambda: next(clock)

    pages = list(connector.pages(Start()))

    assert len(pages) == 4
    assert service.given == 2


@pytest.mark.parametrize("status", [400, 401])
def test_a_client_that_the_token_service_refuses_is_said(serve: Any, fetch: Any, status: int) -> None:
    refusal = {"error": "invalid_client", "error_description": "unknown client"}
    served = serve(lambda asked, handler: reply(handler, refusal, status))

    error = failed(fetch, RestFetch(served.url, auth=oauth(served.url)))

    assert (error.code, error.why) == ("SEG374", "unknown client; invalid_client")


def test_a_refresh_token_is_traded_and_its_successor_used(serve: Any, fetch: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("REFRESH", "refresh-0-abc")
    forms = []

    def answering(asked: Any, handler: Any) -> None:
        if asked.path == "/token":
            forms.append(asked.body.decode())
            n = len(forms)
            reply(handler, {"access_token": f"access-{n}-xyz", "refresh_token": f"refresh-{n}-abc"})
        elif asked.headers["authorization"] == "Bearer access-1-xyz":
            reply(handler, None, 401)
        else:
            reply(handler, [{"id": 1}])

    auth = oauth(served_url := serve(answering).url, refresh_token=Secret("env", ("REFRESH",)))

    assert fetch(RestFetch(served_url, auth=auth)).records == [{"id": 1}]
    assert [form.split("&")[:2] for form in forms] == [
        ["grant_type=refresh_token", "refresh_token=refresh-0-abc"],
        ["grant_type=refresh_token", "refresh_token=refresh-1-abc"],
    ]


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, ["x"], {"access_token": 7}])
def test_an_answer_without_a_token_is_said(serve: Any, fetch: Any, body: Any) -> None:
    served = serve(lambda asked, handler: reply(handler, body))

    assert failed(fetch, RestFetch(served.url, auth=oauth(served.url))).code == "SEG379"


def test_a_refused_key_is_said_in_the_words_of_the_service(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        reply(handler, {"error": {"message": f"Invalid key {TOKEN}", "type": "x"}}, 401)

    error = failed(fetch, RestFetch(serve(answering).url, auth=BEARER))

    assert (error.code, error.exit_code, error.why) == ("SEG374", 2, "Invalid key ***")


def test_no_exception_of_a_library_carries_a_secret_out(serve: Any, fetch: Any) -> None:
    def answering(asked: Any, handler: Any) -> None:
        reply(handler, {"detail": json.dumps(dict(asked.headers)) + str(asked.query)}, 500)

    auth = ApiKey("query", "key", Secret("env", ("TOKEN",)))
    error = failed(fetch, RestFetch(serve(answering).url, auth=auth, limits=Limits(retries=0)))

    import traceback

    told = "".join(traceback.format_exception(error)) + str(error.why)
    assert "***" in told
    assert TOKEN not in told
