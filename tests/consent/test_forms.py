"""Normal forms of contact points, and their tokens."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.consent.forms import email_forms, forms, sending_form
from segctl.consent.tokens import Keyring, key_id, parts

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("written", "exact", "wide"),
    [
        pytest.param("anna@post.example", "anna@post.example", "anna@post.example", id="its own form"),
        pytest.param(" Anna@Post.Example ", "anna@post.example", "anna@post.example", id="blanks and capitals"),
        pytest.param("anna+news@post.example", "anna+news@post.example", "anna@post.example", id="a tag"),
        pytest.param("a.n.na@googlemail.com", "a.n.na@googlemail.com", "anna@gmail.com", id="dots at Google"),
        pytest.param("mailto:anna@post.example", "anna@post.example", "anna@post.example", id="a link"),
        pytest.param("jörg@müller.example", "jörg@xn--mller-kva.example", "jörg@xn--mller-kva.example", id="umlauts"),
        pytest.param("jo\u0308rg@post.example", "jörg@post.example", "jörg@post.example", id="composed"),
        pytest.param("anna@post.example.", "anna@post.example", "anna@post.example", id="a root dot"),
        pytest.param("+anna@post.example", "+anna@post.example", "+anna@post.example", id="nothing but a tag"),
    ],
)
def test_an_address_has_two_forms(written: str, exact: str, wide: str) -> None:
    assert email_forms(written) == (exact, wide)


@pytest.mark.parametrize(
    "written", ["", "anna", "anna@", "@post.example", "anna@post", "a b@post.example", "anna@@post.example",
                "anna@-post.example", ".anna@post.example", "an..na@post.example", "anna@post..example",
                "anna@post.example\n.x", "\ud800@post.example", "anna@" + "x" * 600 + ".example"],
)  # fmt: skip
def test_what_is_no_address_has_none(written: str) -> None:
    assert forms("email", written) is None


@given(st.text(max_size=30), st.sampled_from(["email", "phone", "postal", "device", "account"]))
def test_the_wide_form_is_its_own_form(text: str, kind: str) -> None:
    found = forms(kind, text)

    if found is not None and kind != "postal":
        assert forms(kind, found[0]) == found
        assert forms(kind, found[1]) == (found[1], found[1])
    if found is not None:
        assert forms(kind, found[1].upper() if kind in ("email", "postal") else found[1]) is not None


def test_sending_keeps_what_the_person_wrote() -> None:
    assert sending_form(" Anna.B+x@Post.EXAMPLE") == "Anna.B+x@post.example"
    assert sending_form("no address") is None


def test_a_phone_needs_its_country() -> None:
    assert forms("phone", "+49301234567") == ("+49301234567", "+49301234567")
    assert forms("phone", "0301234567") is None


def test_a_token_is_a_keyed_hash_of_kind_and_form() -> None:
    ring = Keyring(((key_id(KEY), KEY),))
    expected = hmac.new(KEY, b"email\x00anna@post.example", hashlib.sha256).digest()[:16]

    assert ring.point("email", "ANNA@post.example") == expected + expected
    assert ring.points("email", ["anna+x@post.example", None, "x"])[0] != expected + expected
    assert ring.points("email", ["anna+x@post.example", None, "x"])[1:] == [None, None]
    assert ring.point("account", "anna@post.example") != expected + expected


def test_a_point_has_a_pair_for_every_key() -> None:
    ring = Keyring(((key_id(KEY), KEY), (key_id(KEY[::-1]), KEY[::-1])))
    single = Keyring(ring.keys[:1]), Keyring(ring.keys[1:])
    point = ring.point("email", "anna+x@post.example")

    assert point == ring.points("email", ["anna+x@post.example"])[0]
    assert point is not None
    assert [b"".join(pair) for pair in parts(point)] == [one.point("email", "anna+x@post.example") for one in single]
    assert point[-32:-16] == (ring.newest_pair("email", "anna+x@post.example") or (b"", b""))[0]


def test_a_domain_with_sharp_s_is_its_own_and_a_denial_of_either_spelling_blocks_both() -> None:
    written, ascii_only, older = (email_forms(f"x@{host}") for host in ("Straße.de", "xn--strae-oqa.de", "strasse.de"))

    assert written == ascii_only == ("x@xn--strae-oqa.de", "x@strasse.de")
    assert older == ("x@strasse.de", "x@strasse.de")
    assert sending_form("Anna@straße.de") == "Anna@xn--strae-oqa.de"
    assert email_forms("x@βόλος.com")[0] == "x@xn--nxasmm1c.com"  # type: ignore[index]  # it is one
