"""Requests that a dry run lists: nobody's address stands in them."""

from __future__ import annotations

import pytest

from segctl.cli.push_view import _bare


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        ("GET https://x.de/api/subscribers?query=a%40b.de", "GET https://x.de/api/subscribers"),
        ("PUT https://x.de/receivers/a%40b.de/activate", "PUT https://x.de/receivers/…/activate"),
        ("MAIL smtp://mail.x.de/a@b.de", "MAIL smtp://mail.x.de/…"),
        ("POST https://x.de/accounts/1234567890/lists", "POST https://x.de/accounts/1234567890/lists"),
        ("INSERT INTO crm.members", "INSERT INTO crm.members"),
    ],
)
def test_a_request_is_listed_without_anybody_in_it(what: str, shown: str) -> None:
    assert _bare(what) == shown
