"""No address of a machine in what quarantine keeps."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.connectors.tracking.masking import masked_excerpt, masked_record, masked_text


@settings(deadline=None)
@given(st.ip_addresses(v=4) | st.ip_addresses(v=6).filter(lambda ip: ip != IPv6Address("::")))
def test_every_address_goes(address: IPv4Address | IPv6Address) -> None:
    for text in (f"from {address}.", f'{{"x": "{address}"}}', str(address), f"[{address}]", f"a,{address},b"):
        assert str(address) not in masked_text(text)


@pytest.mark.parametrize("text", ["10:16:51", "2026-11-21T10:16:51", "v1.2.3", "a:b", "::", "aa:bb:cc:dd:ee:ff"])
def test_other_things_stay(text: str) -> None:
    assert masked_text(text) == text


def test_what_stands_under_the_name_of_an_address_goes_whatever_it_is() -> None:
    record = {"context": {"ip": "hashed"}, "requestIP": "1.2.3.4", "list": [{"user_ipaddress": 5}], "zip": "12345"}

    masked = masked_record(record)

    assert "hashed" not in masked
    assert "1.2.3.4" not in masked
    assert '"user_ipaddress":"[ip]"' in masked
    assert "12345" in masked


def test_a_cut_address_goes_from_excerpts() -> None:
    assert "203.0.1" not in masked_excerpt('{"ip": "203.0.1')
