"""Payloads of Snowplow's trackers (tracker protocol) as records with the names of the enriched event.

Source: Snowplow's tracker protocol, https://docs.snowplow.io/docs/sources/tracker-protocol/.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from segctl.connectors.tracking.base import instant, mapping

Record = dict[str, Any]
_EVENTS = {"pv": "page_view", "pp": "page_ping", "se": "struct", "ue": "unstruct", "tr": "transaction",
           "ti": "transaction_item", "ad": "ad_impression"}  # fmt: skip
_NAMES = {
    "aid": "app_id", "p": "platform", "eid": "event_id", "tid": "txn_id", "tna": "name_tracker", "tv": "v_tracker",
    "uid": "user_id", "duid": "domain_userid", "nuid": "network_userid", "tnuid": "network_userid",
    "vid": "domain_sessionidx", "sid": "domain_sessionid", "fp": "user_fingerprint", "ip": "user_ipaddress",
    "ua": "useragent", "url": "page_url", "page": "page_title", "refr": "page_referrer", "lang": "br_lang",
    "tz": "os_timezone", "cs": "doc_charset", "se_ca": "se_category", "se_ac": "se_action", "se_la": "se_label",
    "se_pr": "se_property", "se_va": "se_value", "tr_id": "tr_orderid", "tr_af": "tr_affiliation", "tr_tt": "tr_total",
    "tr_tx": "tr_tax", "tr_sh": "tr_shipping", "tr_ci": "tr_city", "tr_st": "tr_state", "tr_co": "tr_country",
    "tr_cu": "tr_currency", "ti_id": "ti_orderid", "ti_sk": "ti_sku", "ti_nm": "ti_name", "ti_ca": "ti_category",
    "ti_pr": "ti_price", "ti_qu": "ti_quantity", "ti_cu": "ti_currency", "pp_mix": "pp_xoffset_min",
    "pp_max": "pp_xoffset_max", "pp_miy": "pp_yoffset_min", "pp_may": "pp_yoffset_max", "ue_pr": "unstruct_event",
    "co": "contexts",
}  # fmt: skip
_ENCODED = {"ue_px": "unstruct_event", "cx": "contexts"}
_SCHEMA = re.compile(r"iglu:[\w.-]+/(?P<name>[\w-]+)/")
_CAMPAIGN = {"utm_source": "mkt_source", "utm_medium": "mkt_medium", "utm_campaign": "mkt_campaign",
             "utm_term": "mkt_term", "utm_content": "mkt_content"}  # fmt: skip


def enriched(payload: Record, *, received: str, address: str | None = None) -> Record:
    """One payload as an enriched record.

    Args:
        payload: Its short names with texts.
        received: When it came, ISO 8601.
        address: Where it came from, when that is kept.
    """
    record: Record = {to: payload[name] for name, to in _NAMES.items() if payload.get(name) not in (None, "")}
    for name, to in _ENCODED.items():
        text = _decoded(payload.get(name))
        if text is not None:
            record[to] = text
    kind = payload.get("e")
    if kind is not None:
        record["event"] = _EVENTS.get(str(kind), kind)
    if record.get("event") == "unstruct":
        record["event_name"] = _schema_name(record.get("unstruct_event"))
    if address is not None:
        record.setdefault("user_ipaddress", address)
    _take_times(record, payload, received)
    _take_page(record)
    # Without an event's kind the record is of no tracker; without this time the shape refuses it.
    record["collector_tstamp"] = received if kind is not None else None
    return record


def _take_times(record: Record, payload: Record, received: str) -> None:
    """When it happened by the collector's clock: the device's clock, corrected by the time it says it sent."""
    true, created, sent = (instant(payload.get(name)) for name in ("ttm", "dtm", "stm"))
    arrived = instant(received)
    if true is not None:
        record["true_tstamp"] = true
    if created is not None:
        record["dvce_created_tstamp"] = created
        if sent is not None and arrived is not None:
            record["derived_tstamp"] = arrived - (sent - created)


def _take_page(record: Record) -> None:
    url = record.get("page_url")
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, max_num_fields=200)
    except ValueError:
        return
    record["page_urlpath"] = parts.path or "/"
    for name, value in query:
        if name in _CAMPAIGN:
            record.setdefault(_CAMPAIGN[name], value)


def _schema_name(text: object) -> str | None:
    """The name in the schema of a self-describing event, which is the event's own name."""
    inner = mapping(mapping(text).get("data"))
    match = _SCHEMA.match(str(inner.get("schema")))
    return None if match is None else match["name"]


def _decoded(value: object) -> str | None:
    """Base64 of the URL-safe kind, with or without its padding."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except (ValueError, binascii.Error):
        return None
