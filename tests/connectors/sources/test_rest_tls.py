"""Certificates are always verified; proxies come from the environment."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from api_servers import QUICK, reply

from segctl.model.errors import SegctlError
from segctl.model.fetching_rest import Bearer, Limits, RestFetch
from segctl.model.secrets import Secret


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "tok_planted_5150")
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


BEARER = Bearer(Secret("env", ("TOKEN",)))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 127.0.0.1, signed by itself, in one file."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=segctl test", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", "key.pem", "-out", "ca.pem"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([program, "req", "-x509", *kind, *names, *files], cwd=folder, check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "key.pem").read_text() + (folder / "ca.pem").read_text())
    return folder / "both.pem"


@pytest.fixture
def secure(certificate: Path) -> Iterator[tuple[str, list[str]]]:
    """A server with TLS, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            reply(self, [{"id": 1}])

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    class Quiet(HTTPServer):
        def handle_error(self, *args: Any) -> None:
            """A client that does not trust us ends the connection."""

    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_a_certificate_nobody_vouches_for_ends_the_fetch_before_anything_is_sent(
    secure: tuple[str, list[str]], fetch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = secure
    for name in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "")

    with pytest.raises(SegctlError) as caught:
        fetch(RestFetch(url, auth=BEARER, limits=QUICK))

    assert (caught.value.code, caught.value.exit_code) == ("SEG373", 4)
    assert asked == []


def test_an_own_authority_is_trusted_by_declaration_or_environment(
    secure: tuple[str, list[str]], fetch: Callable[..., Any], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = secure
    bundle = str(certificate.with_name("ca.pem"))

    fetch(RestFetch(url, "declared", auth=BEARER, ca_bundle=bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    fetch(RestFetch(url, "environment", auth=BEARER))

    assert asked == ["/declared", "/environment"]


def test_an_authority_that_is_not_there_is_said(fetch: Callable[..., Any]) -> None:
    with pytest.raises(SegctlError) as caught:
        fetch(RestFetch("https://127.0.0.1:9", ca_bundle="nowhere.pem", limits=QUICK))

    assert caught.value.code == "SEG372"
    assert "nowhere.pem" in str(caught.value.why)


def test_a_certificate_of_another_host_is_refused(
    secure: tuple[str, list[str]], fetch: Callable[..., Any], certificate: Path
) -> None:
    url, asked = secure
    other = url.replace("127.0.0.1", "localhost")

    with pytest.raises(SegctlError) as caught:
        fetch(RestFetch(other, ca_bundle=str(certificate.with_name("ca.pem")), limits=QUICK))

    assert caught.value.code == "SEG373"
    assert asked == []


def test_a_server_without_tls_is_not_blamed_for_its_certificate(serve: Any, fetch: Callable[..., Any]) -> None:
    served = serve(lambda asked, handler: reply(handler, []))

    with pytest.raises(SegctlError) as caught:
        fetch(RestFetch(served.url.replace("http", "https"), auth=BEARER, limits=Limits(retries=0)))

    assert (caught.value.code, caught.value.why) == ("SEG372", "it speaks no TLS")


def test_a_proxy_of_the_environment_is_used(
    serve: Any, fetch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(lambda asked, handler: reply(handler, [{"id": 7}]))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)

    found = fetch(RestFetch("http://crm.invalid", "people", auth=BEARER))

    assert found.records == [{"id": 7}]
    assert len(proxy.asked) == 1


def test_a_proxy_that_is_away_is_said(fetch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://user:hidden-word@127.0.0.1:{port}")
    monkeypatch.setenv("http_proxy", f"http://user:hidden-word@127.0.0.1:{port}")

    with pytest.raises(SegctlError) as caught:
        fetch(RestFetch("http://crm.invalid", auth=BEARER, limits=Limits(retries=1)))

    assert (caught.value.code, caught.value.why) == ("SEG372", "the proxy does not answer")
    assert "hidden-word" not in str(vars(caught.value))


def test_a_header_that_cannot_be_sent_is_said(serve: Any, fetch: Callable[..., Any]) -> None:
    served = serve(lambda asked, handler: reply(handler, []))

    for value in ("日本", "a\nb"):
        with pytest.raises(SegctlError) as caught:
            fetch(RestFetch(served.url, headers=(("X-Name", value),), limits=QUICK))
        assert caught.value.code == "SEG372"

    assert served.asked == []
