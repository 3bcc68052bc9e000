"""Assertions of service accounts: signed as RFC 7523 wants, and never shown."""

from __future__ import annotations

import base64
import builtins
import json
from pathlib import Path

import pytest

from segctl.connectors.http.assertions import GRANT, assertion
from segctl.connectors.http.auth import Credentials, shown
from segctl.model.errors import UsageError
from segctl.model.fetching_rest import ServiceAccount
from segctl.model.secrets import MASK, Secret, masked

pytest.importorskip("cryptography")
TOKENS = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/datamanager"
ACCOUNT = ServiceAccount(Secret("file", ("key.json",)), TOKENS, SCOPE)


@pytest.fixture(scope="module")
def key():
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(65537, 2048)


@pytest.fixture
def root(tmp_path: Path, key) -> Path:
    from cryptography.hazmat.primitives import serialization as form

    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    found = {"type": "service_account", "client_email": "x@p.iam.example", "private_key": pem, "private_key_id": "k1"}
    (tmp_path / "key.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
    return tmp_path


def opened(part: str) -> dict[str, object]:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_an_assertion_says_who_asks_for_what_and_until_when_and_is_signed(root: Path, key) -> None:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    text = assertion("ads", ACCOUNT, (root / "key.json").read_text(), at=1_800_000_000)

    head, claims, signature = text.split(".")
    assert opened(head) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert opened(claims) == {
        "iss": "x@p.iam.example",
        "scope": SCOPE,
        "aud": TOKENS,
        "iat": 1_800_000_000,
        "exp": 1_800_003_600,
    }
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    key.public_key().verify(raw, f"{head}.{claims}".encode(), PKCS1v15(), SHA256())


def test_the_assertion_is_exchanged_for_a_token_that_is_kept_and_renewed(root: Path) -> None:
    asked: list[dict[str, str]] = []

    def ask(url: str, form: list[tuple[str, str]], headers: list[tuple[str, str]]) -> object:
        asked.append({"url": url, **dict(form)})
        return {"access_token": f"token-number-{len(asked)}", "expires_in": 3599, "token_type": "Bearer"}

    clock = [0.0]
    credentials = Credentials(ACCOUNT, root, "ads", ask, clock=lambda: clock[0], wall=lambda: 1_800_000_000.5)
    first = [credentials.headers() for _ in range(2)]
    clock[0] = 3600.0
    later = credentials.headers()
    was_token = credentials.renew()

    assert first == [[("Authorization", "Bearer token-number-1")]] * 2
    assert later == [("Authorization", "Bearer token-number-2")]
    assert was_token
    assert credentials.headers() == [("Authorization", "Bearer token-number-3")]
    assert [(call["url"], call["grant_type"]) for call in asked] == [(TOKENS, GRANT)] * 3
    assert opened(asked[0]["assertion"].split(".")[1])["iat"] == 1_800_000_000


def test_nothing_of_key_assertion_or_token_is_shown(root: Path) -> None:
    text = (root / "key.json").read_text()
    signed = assertion("ads", ACCOUNT, text, at=1)

    assert shown(ACCOUNT) == ([("Authorization", f"Bearer {MASK}")], [])
    assert signed not in masked(f"sent {signed}")
    assert json.loads(text)["private_key"].strip() not in masked(f"the key is {json.loads(text)['private_key']}")


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[]", "{}", '{"client_email": "a@b"}', '{"client_email": "a@b", "private_key": 7}',
     '{"client_email": "a@b", "private_key": "-----BEGIN PRIVATE KEY-----\\nQUJD\\n-----END PRIVATE KEY-----"}'],
)  # fmt: skip
def test_what_is_no_key_file_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        assertion("ads", ACCOUNT, text, at=1)

    assert caught.value.code == "SEG930"
    assert "QUJD" not in f"{caught.value.message} {caught.value.why} {caught.value.hint}"


def test_without_the_package_that_signs_it_is_said_how_to_get_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def without(name: str, *args: object, **options: object) -> object:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return really(name, *args, **options)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError) as caught:
        assertion("ads", ACCOUNT, (root / "key.json").read_text(), at=1)

    assert caught.value.code == "SEG931"
    assert "segctl[google]" in (caught.value.hint or "")
