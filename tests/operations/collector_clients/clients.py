"""The vendors' own libraries for Python, pointed at a collector: clients.py URL SEGMENT_KEY SNOWPLOW_KEY."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

url, key, snowplow_key = sys.argv[1:]


def segment() -> None:
    import segment.analytics as analytics

    analytics.write_key, analytics.host, analytics.gzip, analytics.send = key, url, True, True
    analytics.on_error = _failed
    analytics.identify("python-1", {"email": "python@example.com", "plan": "pro"})
    analytics.track("python-1", "Product Viewed", {"product_id": "p3", "price": 7})
    analytics.page("python-1", name="Home", properties={"path": "/"})
    analytics.screen("python-1", name="Start")
    analytics.group("python-1", "g1", {"name": "Acme"})
    analytics.alias("python-before", "python-1")
    analytics.flush()


def rudder() -> None:
    import rudderstack.analytics as analytics

    analytics.write_key, analytics.dataPlaneUrl, analytics.gzip = key, url, True
    analytics.on_error = _failed
    analytics.identify("rudder-python", {"email": "rp@example.com"})
    analytics.track("rudder-python", "Order Completed", {"order_id": "o2", "value": 5})
    analytics.flush()


def snowplow() -> None:
    from snowplow_tracker import (
        Emitter,
        PageView,
        SelfDescribing,
        SelfDescribingJson,
        StructuredEvent,
        Subject,
        Tracker,
    )

    for method in ("post", "get"):
        place = urlsplit(url)
        emitter = Emitter(
            f"{place.hostname}:{place.port}/k/{snowplow_key}", protocol="http", method=method, batch_size=1,
            on_failure=_failed,
        )  # fmt: skip
        subject = Subject()
        subject.set_user_id(f"snow-python-{method}")
        tracker = Tracker("shop", emitter, subject=subject, app_id="shop")
        tracker.track(PageView(page_url="https://shop.example/p/8", page_title="Acht"))
        tracker.track(StructuredEvent("shop", "product_viewed", label="p8"))
        json = SelfDescribingJson("iglu:com.shop/signed_up/jsonschema/1-0-0", {"form": "newsletter"})
        tracker.track(SelfDescribing(json))
        tracker.flush()


def _failed(*told: object) -> None:
    raise SystemExit(f"not accepted: {told}")


segment()
rudder()
snowplow()
