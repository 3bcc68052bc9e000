"""Rate-limit headers in all the forms that vendors use."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.connectors.http.limits import is_daily, pause_s, retry_after_s

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNIX = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, 0, id="nothing said"),
        pytest.param({"ratelimit-remaining": "3", "ratelimit-reset": "30"}, 0, id="some are left"),
        pytest.param({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30, id="IETF draft 06, as Klaviyo"),
        pytest.param({"ratelimit-remaining": "0, 0;w=10", "ratelimit-reset": "8"}, 8, id="with policies behind"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "45"}, 45, id="seconds left"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(UNIX + 20)}, 20, id="unix seconds"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{UNIX + 5}500"}, 5.5, id="milliseconds"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(UNIX - 20)}, 0, id="over already"),
        pytest.param({"x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "12"}, 12, id="Brevo"),
        pytest.param(
            {"x-hubspot-ratelimit-remaining": "0", "x-hubspot-ratelimit-interval-milliseconds": "10000"},
            10,
            id="HubSpot",
        ),
        pytest.param({"x-shopify-shop-api-call-limit": "39/40"}, 1, id="Shopify, nearly full"),
        pytest.param({"x-shopify-shop-api-call-limit": "2/40"}, 0, id="Shopify, nearly empty"),
        pytest.param({"ratelimit": '"burst";r=0;t=30'}, 30, id="structured fields"),
        pytest.param({"ratelimit": '"burst";r=5;t=30, "day";r=0;t=99'}, 99, id="structured, two policies"),
        pytest.param({"ratelimit": '"burst";r=5;t=30'}, 0, id="structured, some left"),
        pytest.param({"ratelimit": "limit=100, remaining=0, reset=7"}, 7, id="draft 07"),
        pytest.param({"ratelimit-remaining": "none", "ratelimit-reset": "soon"}, 0, id="no numbers"),
    ],
)
def test_the_pause_before_the_next_request(headers: dict[str, str], seconds: float) -> None:
    assert pause_s(headers, NOW) == pytest.approx(seconds)


def test_times_are_compared_with_the_clock_of_the_server() -> None:
    slow = {"date": "Sat, 21 Nov 2026 11:00:00 GMT"}

    assert retry_after_s({"retry-after": "Sat, 21 Nov 2026 11:00:09 GMT", **slow}, NOW) == 9
    assert pause_s({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(UNIX - 3590), **slow}, NOW) == 10


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("2.0", 2), ("-1", 0), ("", None), ("nan", None), ("1e99", None), ("tomorrow", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": text}, NOW) == seconds


def test_daily_limits() -> None:
    assert is_daily({}, {"policyName": "DAILY"})
    assert is_daily({"x-hubspot-ratelimit-daily-remaining": "0"}, None)
    assert not is_daily({"x-hubspot-ratelimit-daily-remaining": "7"}, {"policyName": "TEN_SECONDLY_ROLLING"})
    assert not is_daily({}, [{"policyName": "DAILY"}])


NAMES = ("ratelimit", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-reset",
         "retry-after", "date", "x-shopify-shop-api-call-limit")  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), st.text(alphabet='0123456789.,;=/" rtwqe-GMTSanov:', max_size=40)))
def test_no_header_is_an_error(headers: dict[str, str]) -> None:
    assert pause_s(headers, NOW) >= 0
    assert (retry_after_s(headers, NOW) or 0) >= 0
