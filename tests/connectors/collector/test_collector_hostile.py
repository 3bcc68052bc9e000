"""What strangers send: nothing of it is kept, nothing of it is told back, and others are served on."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import EVENT, KEY, Served, request, serving, status

from segctl.connectors.collector.connection import Bounds
from segctl.connectors.collector.files import Position, follow
from segctl.connectors.collector.records import records_of
from segctl.connectors.sources.base import ndjson

GOOD = json.dumps(EVENT).encode()
AUTH = {"X-Write-Key": f"{KEY}/web"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    bounds = Bounds(
        head_bytes=8192, url_bytes=4096, body_bytes=30_000, head_s=0.3, body_s=0.3, idle_s=0.3, sweep_s=0.02
    )
    with serving(tmp_path_factory.mktemp("hostile"), bounds=bounds) as served:
        yield served


def chunked(*pieces: bytes, head: str = "") -> bytes:
    start = f"POST /v1/track HTTP/1.1\r\nHost: a\r\nX-Write-Key: {KEY}/web\r\nTransfer-Encoding: chunked\r\n{head}\r\n"
    return start.encode() + b"".join(pieces)


def bomb(size: int) -> bytes:
    return gzip.compress(b'{"a":"' + b"a" * size + b'"}')


CORPUS = {
    "a body larger than the source takes": (request("POST", "/v1/track", b'"' + b"a" * 25_000 + b'"', **AUTH), 413),
    "a body larger than any": (request("POST", "/v1/track", b"a" * 40_000, **AUTH), 413),
    "a length beyond all numbers": (request("POST", "/v1/track", b"", **{**AUTH, "Content-Length": "9" * 60}), 400),
    "a negative length": (request("POST", "/v1/track", b"{}", **{**AUTH, "Content-Length": "-2"}), 400),
    "two lengths": (
        b"POST /v1/track HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}", 400,
    ),
    "a length and chunks": (chunked(b"0\r\n\r\n", head="Content-Length: 4\r\n"), 400),
    "chunks that are no numbers": (chunked(b"zz\r\nhello\r\n"), 400),
    "chunks larger than any body": (chunked(b"fffffff\r\n", b"a" * 31_000), 413),
    "a chunk of a length beyond all numbers": (chunked(b"f" * 40 + b"\r\n"), 400),
    "too deep": (request("POST", "/v1/track", b'{"a":' * 40 + b"1" + b"}" * 40, **AUTH), 400),
    "much too deep": (request("POST", "/v1/track", b"[" * 9_000 + b"]" * 9_000, **AUTH), 400),
    "broken JSON": (request("POST", "/v1/track", b'{"event": ', **AUTH), 400),
    "JSON with a number that is none": (request("POST", "/v1/track", b'{"a": NaN}', **AUTH), 400),
    "JSON with a number of 5,000 digits": (request("POST", "/v1/track", b'{"a": ' + b"7" * 5000 + b"}", **AUTH), 400),
    "two values": (request("POST", "/v1/track", GOOD + GOOD, **AUTH), 400),
    "no value": (request("POST", "/v1/track", b"", **AUTH), 400),
    "a line break inside of a text": (request("POST", "/v1/track", b'{"event": "a\nb"}', **AUTH), 400),
    "a list where a message belongs": (request("POST", "/v1/track", b"[]", **AUTH), 400),
    "a batch that is none": (request("POST", "/v1/batch", b'{"batch": {}}', **AUTH), 400),
    "a batch of no messages": (request("POST", "/v1/batch", b'{"batch": [1, 2]}', **AUTH), 400),
    "more messages than may be": (
        request("POST", "/v1/batch", b'{"batch": [' + b"{}," * 1000 + b"{}]}", **AUTH), 413,
    ),
    "another charset": (
        request("POST", "/v1/track", GOOD, **{**AUTH, "Content-Type": "application/json; charset=utf-16"}), 415,
    ),
    "bytes that are no UTF-8": (request("POST", "/v1/track", b'{"event": "\xff\xfe"}', **AUTH), 400),
    "a surrogate as bytes": (request("POST", "/v1/track", b'{"event": "\xed\xa0\x80"}', **AUTH), 400),
    "XML": (request("POST", "/v1/track", b"<a/>", **{**AUTH, "Content-Type": "application/xml"}), 415),
    "a bomb": (request("POST", "/v1/track", bomb(8_000_000), **AUTH, Content_Encoding="gzip"), 413),
    "a bomb that calls itself deflate": (
        request("POST", "/v1/track", zlib.compress(b" " * 8_000_000), **AUTH, Content_Encoding="deflate"), 413,
    ),
    "half of a stream": (request("POST", "/v1/track", gzip.compress(GOOD)[:-9], **AUTH, Content_Encoding="gzip"), 400),
    "two streams": (request("POST", "/v1/track", gzip.compress(GOOD) * 2, **AUTH, Content_Encoding="gzip"), 400),
    "a coding nobody knows": (request("POST", "/v1/track", GOOD, **AUTH, Content_Encoding="br"), 415),
    "codings upon codings": (request("POST", "/v1/track", GOOD, **AUTH, Content_Encoding="gzip, gzip"), 415),
    "more headers than may be": (
        request("POST", "/v1/track", GOOD, **AUTH, **{f"X-{n}": "a" for n in range(150)}), 431,
    ),
    "one large header": (request("POST", "/v1/track", GOOD, **AUTH, X_Large="a" * 9000), 431),
    "an address that does not end": (request("POST", "/v1/track?" + "a" * 6000, GOOD, **AUTH), 414),
    "a path out of the folder": (request("GET", "/../../etc/passwd"), 404),
    "a path out of the folder, hidden": (request("GET", "/%2e%2e/%2e%2e/etc/passwd"), 404),
    "a path that is no UTF-8": (request("GET", "/%ff%fe"), 400),
    "a path with an end of text": (request("GET", "/v1/track%00"), 404),
    "a folder": (request("GET", "/"), 404),
    "a surface for debugging": (request("POST", "/debug/mp/collect", GOOD), 404),
    "a redirect": (request("GET", "/r/tp2?u=https%3A%2F%2Fevil.example"), 404),
    "a method that changes": (request("DELETE", "/v1/track", GOOD, **AUTH), 405),
    "a method that shows itself": (request("TRACE", "/v1/track"), 405),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "the next protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "an upgrade": (
        b"GET /v1/track HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 405,
    ),
    "a line break in a header": (b"POST /v1/track HTTP/1.1\r\nHost: a\r\nX-A: b\rSet-Cookie: c\r\n\r\n", 400),
    "an end of text in a header": (b"POST /v1/track HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n", 400),
    "a header without a colon": (b"POST /v1/track HTTP/1.1\r\nHost\r\n\r\n", 400),
    "two keys": (
        b"POST /v1/track HTTP/1.1\r\nHost: a\r\nX-Write-Key: a\r\nX-Write-Key: b\r\nContent-Length: 0\r\n\r\n", 400,
    ),
    "no key": (request("POST", "/v1/track", GOOD), 401),
    "a wrong key": (request("POST", "/v1/track", GOOD, X_Write_Key="wk_other"), 401),
    "a key that is no text": (request("POST", "/v1/track", GOOD, Authorization="Basic \xff\xfe!"), 401),
    "a key of 4,000 signs": (request("POST", "/v1/track", GOOD, X_Write_Key="a" * 4000), 401),
    "the key of another protocol": (request("POST", "/mp/collect", b'{"events":[]}', **AUTH), 401),
    "a page that is not on the list": (request("POST", "/v1/track", GOOD, **AUTH, Origin="https://evil.example"), 403),
    "an address of its own": (request("GET", "/metrics", X_Forwarded_For="203.0.113.9"), 404),
}  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_what_is_hostile_is_refused_and_nothing_of_it_is_kept(server: Served, name: str) -> None:
    data, expected = CORPUS[name]
    before = len(server.lines())

    answer = server.send(data)

    assert status(answer) == expected
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body.count(b'"message"') == 1
    assert b"etc" not in answer
    assert b"evil" not in answer
    assert b"traceback" not in answer.lower()
    assert b"set-cookie" not in head.lower()
    assert b"server:" not in head.lower()
    assert len(server.lines()) == before


POISON = {
    "a number beyond all numbers": b'{"event": "a", "n": 1e99999999999999999999}',
    "a number below all numbers": b'{"event": "a", "n": -1e-99999999999999999999}',
    "a number of a float's digits": b'{"event": "a", "n": 1E5000, "m": 0.1234567890123456789}',
    "a half of a sign": b'{"event": "\\ud800"}',
    "a name twice": b'{"event": "a", "event": {"b": []}}',
    "ends of lines of other alphabets": '{"event": "a\u2028\u0085b"}'.encode(),
    "a line in a line": b'{"event": "\\n{\\"received\\":\\"x\\",\\"source\\":\\"web\\",\\"key\\":null}"}',
}


@pytest.mark.parametrize("name", POISON)
def test_what_is_taken_can_be_read_again_and_keeps_nobody_from_starting(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        with serving(tmp_path) as served:
            assert served.post("/v1/track", POISON[name], **AUTH) == 200
            assert served.journal.torn_bytes == 0

    taken = [line for lines, _ in follow(tmp_path, Position()) for line in lines]
    assert len(ndjson(records_of(taken, "web")).splitlines()) == len(taken) == 2


def test_after_all_of_it_the_next_honest_request_is_taken(server: Served) -> None:
    assert server.track() == 200


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"POST /v1/track HTTP/1.1\r\nHost: a\r\nX-",
        request("POST", "/v1/track", b"{", **{**AUTH, "Content-Length": "100"}),
        b"\r\n" * 4,
    ],
    ids=["nothing", "half of a head", "half of a body", "empty lines"],
)
def test_who_sends_too_slowly_is_cut_off(server: Served, beginning: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=8) as link:
        link.sendall(beginning)
        began = time.monotonic()
        said = link.recv(1000)

        assert time.monotonic() - began < 3
        assert status(said) == (408 if beginning else 0)


def test_one_sign_at_a_time_does_not_keep_a_connection_open(server: Served) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=8) as link:
        link.sendall(b"POST /v1/track HTTP/1.1\r\nHost: a\r\n")
        try:
            while time.monotonic() - began < 6:
                link.sendall(b"X-A: b\r\n")
                time.sleep(0.03)
        except ConnectionError:
            pass

    assert time.monotonic() - began < 5


def test_connections_beyond_the_limit_are_told_to_come_again(tmp_path: Path) -> None:
    with serving(tmp_path, bounds=Bounds(connections=3)) as few:
        held = [socket.create_connection(("127.0.0.1", few.port)) for _ in range(3)]
        while few.metrics.connections < 3:
            time.sleep(0.005)

        assert status(few.send(b"")) == 503
        held.pop().close()
        while few.metrics.connections > 2:
            time.sleep(0.005)
        assert few.track() == 200
        for link in held:
            link.close()


def test_a_proxy_cannot_be_made_to_read_one_request_as_two(server: Served) -> None:
    hidden = request("POST", "/v1/track", GOOD, **AUTH)
    before = len(server.lines())

    server.send(chunked(b"0\r\n\r\n", hidden, head="Content-Length: 5\r\n"))

    assert len(server.lines()) == before
