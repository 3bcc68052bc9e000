"""Secrets: read when used, masked from then on in every spelling."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.connectors.http import secrets
from segctl.connectors.http.secrets import revealed
from segctl.model.errors import SegctlError, TemporaryError, UsageError
from segctl.model.secrets import MASK, SHORTEST, Secret, forget, masked, masked_records, remember

PLANTED = 's3cr3t/ü+ä "key"'


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    forget()
    yield
    forget()


def test_each_form_is_read_at_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "from-env")
    (tmp_path / "key.txt").write_text("from-file\n", encoding="utf-8")
    program = (sys.executable, "-c", "print('from-command'); print('and more')")

    assert revealed(Secret("env", ("KEY",)), tmp_path) == "from-env"
    assert revealed(Secret("file", ("key.txt",)), tmp_path) == "from-file"
    assert revealed(Secret("command", program), tmp_path) == "from-command"
    assert revealed("plain", tmp_path) == "plain"
    assert masked("from-env from-file from-command plain") == "*** *** *** plain"


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (Secret("env", ("NOT_SET",)), "the variable `NOT_SET` is not set"),
        (Secret("env", ("EMPTY",)), "it is empty"),
        (Secret("env", ("SPLIT",)), "it holds a line break or another control character"),
        (Secret("env", ("BYTES",)), "it is no text"),
        (Secret("file", ("nowhere",)), "no such file or directory"),
        (Secret("file", (".",)), "is a directory"),
        (Secret("file", ("binary",)), "it is no text"),
        (Secret("file", ("/dev/zero",)), "it is longer than 65,536 bytes"),
        (Secret("command", ("no-such-program-here",)), "no such file or directory"),
        (Secret("command", (sys.executable, "-c", "import sys; sys.exit('hidden-9')")), "the command ended with 1"),
        (Secret("command", (sys.executable, "-c", "")), "it is empty"),
    ],
)
def test_what_cannot_be_read_is_said_without_its_value(
    secret: Secret, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", " ")
    monkeypatch.setenv("BYTES", "key-\udcff-key")
    monkeypatch.setenv("SPLIT", "value\r\nX-Evil: 1")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SegctlError) as caught:
        revealed(secret, tmp_path)

    assert caught.value.code == "SEG371"
    assert caught.value.message.endswith(why)
    assert "hidden-9" not in str(vars(caught.value))
    assert "X-Evil" not in caught.value.message


@pytest.mark.parametrize(
    "spelling",
    [str, lambda s: quote(s, safe=""), quote_plus, lambda s: json.dumps(s)[1:-1],
     lambda s: json.dumps(s, ensure_ascii=False)[1:-1], lambda s: base64.b64encode(s.encode()).decode(),
     lambda s: repr(s)[1:-1]],
)  # fmt: skip
def test_every_spelling_is_masked_in_text_and_bytes(spelling: object) -> None:
    remember(PLANTED)
    written = spelling(PLANTED)

    assert masked(f"a {written} b") == f"a {MASK} b"
    assert masked(f"a {written} b".encode()) == f"a {MASK} b".encode()


def test_a_secret_inside_another_leaves_nothing_behind() -> None:
    remember("key-1234")
    remember("key-1234-and-more")

    assert masked("key-1234-and-more key-1234") == "*** ***"


@pytest.mark.parametrize("secret", ["shop", "2026", "webshop", "12345678901"])
def test_people_keep_what_only_looks_like_a_short_secret(secret: str) -> None:
    remember(secret)
    line = f'{{"id": 9{secret}, "mail": "info@{secret}.example"}}\n'

    assert masked_records(line.encode()).decode() == line
    assert masked(line) != line


@pytest.mark.parametrize("secret", ["hunter22", "correct horse battery", "c0ffee00"])
def test_a_credential_that_a_service_repeats_is_masked_in_records(secret: str) -> None:
    remember(secret)

    assert masked_records(f'{{"echo": "Bearer {secret}"}}'.encode()) == b'{"echo": "Bearer ***"}'


@given(st.text(min_size=SHORTEST, max_size=30).filter(lambda s: len(s.strip()) >= SHORTEST), st.text(max_size=20))
def test_no_secret_is_left_in_what_is_written_as_json(secret: str, around: str) -> None:
    forget()
    remember(secret)
    if secret.strip() in around:
        return

    line = masked(json.dumps({"a": f"{around} {secret} {around}"}, ensure_ascii=False))

    assert secret.strip() not in json.loads(line)["a"].replace(MASK, "\0") or secret.strip() in MASK


def test_short_words_are_no_secrets() -> None:
    remember("abc")

    assert masked("abcdef") == "abcdef"


@pytest.mark.parametrize("words", [("cat", "/dev/zero"), ("sh", "-c", "cat /dev/zero")])
def test_a_command_without_end_is_ended(words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="writes more than"):
        revealed(Secret("command", words), tmp_path)


def test_a_command_that_takes_too_long_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_COMMAND_S", 0.2)
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="takes longer"):
        revealed(Secret("command", ("sh", "-c", "sleep 20; echo late")), tmp_path)
    assert time.monotonic() - began < 10
