"""Enriched events of Snowplow: the TSV of the pipeline, the flat table of a warehouse, JSON of an analytics SDK."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from segctl.connectors.tracking.base import (
    Message,
    Outcome,
    Record,
    Shape,
    content_id,
    decoded,
    foreign,
    instant,
    mapping,
    no_time,
    snaked,
    text,
)
from segctl.connectors.tracking.shopping import completed, take_campaign
from segctl.connectors.tracking.vocabulary import kind_of

_TIMES = ("true_tstamp", "derived_tstamp", "collector_tstamp", "dvce_created_tstamp")
_NAMES = {"page_view": "page_view", "page_ping": "page_ping", "transaction": "transaction",
          "transaction_item": "transaction_item", "tr": "transaction", "ti": "transaction_item",
          "pv": "page_view", "pp": "page_ping"}  # fmt: skip
_CAMPAIGN = {"campaign": "mkt_campaign", "source": "mkt_source", "medium": "mkt_medium", "term": "mkt_term",
             "content": "mkt_content"}  # fmt: skip
_SCHEMA = re.compile(r"iglu:(?P<vendor>[\w.-]+)/(?P<name>[\w-]+)/")
_ACTION = "snowplow_ecommerce_action"
_ECOMMERCE_COLUMN = "contexts_com_snowplowanalytics_snowplow_ecommerce_"
_MOBILE_SESSION = ("com.snowplowanalytics.snowplow", "client_session")
_LEGACY = {"tr_orderid": "order_id", "tr_total": "value", "tr_currency": "currency", "ti_orderid": "order_id",
           "ti_sku": "product_id", "ti_name": "name", "ti_category": "category", "ti_price": "price",
           "ti_quantity": "quantity", "ti_currency": "currency"}  # fmt: skip


def events(record: Record) -> list[Outcome]:
    """The event of an enriched record."""
    if record.get("event_id") is None and record.get("collector_tstamp") is None:
        return [foreign("`event_id` and `collector_tstamp`", record.get("event_id"))]
    time = next((found for name in _TIMES if (found := instant(record.get(name))) is not None), None)
    if time is None:
        return [no_time(record.get("collector_tstamp"))]
    own, contexts = _described(record)
    name, properties = _own_event(record, own)
    message = _common(record, contexts, time)
    message |= {"kind": kind_of(name), "event_name": name, "properties": properties}
    _take_order(message, properties, contexts)
    return [completed(message)]


def profiles(record: Record) -> list[Outcome]:
    """What the e-commerce plug-in's user entity says about the person, where the record has one."""
    _, contexts = _described(record)
    users = contexts.get("user")
    time = next((found for name in _TIMES if (found := instant(record.get(name))) is not None), None)
    if not users or time is None:
        return []
    traits = snaked(users[0])
    traits.pop("id", None)
    return [{**_common(record, contexts, time), "traits": traits}]


def _common(record: Record, contexts: dict[str, list[Record]], time: int) -> Message:
    mobile = (contexts.get("client_session") or [{}])[0]
    user = (contexts.get("user") or [{}])[0]
    message: Message = {
        "time": time,
        "event_id": text(record.get("event_id")) or content_id(record),
        "user_id": text(record.get("user_id")) or text(user.get("id")),
        "anonymous_id": text(record.get("domain_userid")) or text(mobile.get("userId") or mobile.get("user_id"))
        or text(record.get("network_userid")),
        "session_id": text(record.get("domain_sessionid"))
        or text(mobile.get("sessionId") or mobile.get("session_id")),
        "url": text(record.get("page_url")),
        "path": text(record.get("page_urlpath")),
        "referrer": text(record.get("page_referrer")),
        "title": text(record.get("page_title")),
        "ip": text(record.get("user_ipaddress")),
        "country": text(record.get("geo_country")),
        "region": text(record.get("geo_region_name")) or text(record.get("geo_region")),
        "city": text(record.get("geo_city")),
        "language": text(record.get("br_lang")),
        "record": record,
    }  # fmt: skip
    take_campaign(message, {name: record.get(column) for name, column in _CAMPAIGN.items()})
    return message


def _own_event(record: Record, own: dict[str, Record]) -> tuple[str, dict[str, Any]]:
    """Name and properties of the event itself."""
    kind = text(record.get("event")) or ""
    if kind in ("struct", "se"):
        parts = {name: record.get(f"se_{name}") for name in ("category", "action", "label", "property", "value")}
        return text(parts["action"]) or "struct", snaked(parts)
    if kind in _NAMES:
        found = {to: record.get(name) for name, to in _LEGACY.items() if text(record.get(name)) is not None}
        return _NAMES[kind], found
    name = text(record.get("event_name")) or kind or "unstruct"
    body = own.get(name) or next(iter(own.values()), {})
    properties = snaked(body)
    if name == _ACTION:
        name = text(properties.pop("type", None)) or name
    return name, properties


def _take_order(message: Message, properties: dict[str, Any], contexts: dict[str, list[Record]]) -> None:
    products = contexts.get("product")
    if products:
        message["products"] = [{name: of for name, of in item.items() if of is not None} for item in products]
    for entity in ("transaction", "refund", "checkout_step", "promotion", "cart"):
        found = contexts.get(entity)
        if not found:
            continue
        values = snaked(found[0])
        if entity == "refund" and "refund_amount" in values:
            message["value"] = values["refund_amount"]
        elif "total_value" in values:
            values.setdefault("value", values["total_value"])
        for name, value in values.items():
            properties.setdefault(f"promotion_{name}" if entity == "promotion" and name == "id" else name, value)


def _described(record: Record) -> tuple[dict[str, Record], dict[str, list[Record]]]:
    """Self-describing parts by the name of their schema: the event's own, and its contexts."""
    own: dict[str, Record] = {}
    contexts: dict[str, list[Record]] = {}
    for column, given in record.items():
        if not given or given == "[]" or not column.startswith(("contexts", "unstruct_event", "derived_contexts")):
            continue
        value = decoded(given) if isinstance(given, str) else given
        if column in ("contexts", "derived_contexts", "unstruct_event"):
            _take_enveloped(value, own if column == "unstruct_event" else contexts)
            continue
        name = _schema_name(column)
        if column.startswith("unstruct"):
            own[name] = _one(value)
        elif isinstance(value, list):
            contexts.setdefault(name, []).extend(item for item in value if isinstance(item, dict))
    return own, contexts


def _one(value: object) -> Record:
    if isinstance(value, list):
        return value[0] if value and isinstance(value[0], dict) else {}
    return dict(mapping(value))


def _take_enveloped(value: object, into: dict[str, Any]) -> None:
    """Parts of ``{schema, data}``, where data is one such part (an event) or a list of them (contexts)."""
    data = mapping(value).get("data")
    is_event = isinstance(data, dict)
    for part in [data] if is_event else data if isinstance(data, list) else []:
        match = _SCHEMA.match(str(mapping(part).get("schema")))
        if match is None:
            continue
        body = dict(mapping(mapping(part).get("data")))
        if is_event:
            into[match["name"]] = body
        else:
            into.setdefault(_known(match["vendor"], match["name"]), []).append(body)


@lru_cache(maxsize=1024)
def _schema_name(column: str) -> str:
    """``contexts_com_snowplowanalytics_snowplow_ecommerce_product_1_0_0`` is ``product``; others keep their vendor."""
    trimmed = re.sub(r"(_\d+)+\Z", "", column)
    if trimmed.endswith(f"_{_ACTION}"):
        return _ACTION
    if trimmed.startswith(_ECOMMERCE_COLUMN):
        return trimmed.removeprefix(_ECOMMERCE_COLUMN)
    return "client_session" if trimmed.endswith("_snowplow_client_session") else trimmed


def _known(vendor: str, name: str) -> str:
    if vendor == "com.snowplowanalytics.snowplow.ecommerce" or (vendor, name) == _MOBILE_SESSION:
        return name.replace("-", "_")
    return f"{vendor}/{name}"


ATOMIC = (
    "app_id", "platform", "etl_tstamp", "collector_tstamp", "dvce_created_tstamp", "event", "event_id", "txn_id",
    "name_tracker", "v_tracker", "v_collector", "v_etl", "user_id", "user_ipaddress", "user_fingerprint",
    "domain_userid", "domain_sessionidx", "network_userid", "geo_country", "geo_region", "geo_city", "geo_zipcode",
    "geo_latitude", "geo_longitude", "geo_region_name", "ip_isp", "ip_organization", "ip_domain", "ip_netspeed",
    "page_url", "page_title", "page_referrer", "page_urlscheme", "page_urlhost", "page_urlport", "page_urlpath",
    "page_urlquery", "page_urlfragment", "refr_urlscheme", "refr_urlhost", "refr_urlport", "refr_urlpath",
    "refr_urlquery", "refr_urlfragment", "refr_medium", "refr_source", "refr_term", "mkt_medium", "mkt_source",
    "mkt_term", "mkt_content", "mkt_campaign", "contexts", "se_category", "se_action", "se_label", "se_property",
    "se_value", "unstruct_event", "tr_orderid", "tr_affiliation", "tr_total", "tr_tax", "tr_shipping", "tr_city",
    "tr_state", "tr_country", "ti_orderid", "ti_sku", "ti_name", "ti_category", "ti_price", "ti_quantity",
    "pp_xoffset_min", "pp_xoffset_max", "pp_yoffset_min", "pp_yoffset_max", "useragent", "br_name", "br_family",
    "br_version", "br_type", "br_renderengine", "br_lang", "br_features_pdf", "br_features_flash",
    "br_features_java", "br_features_director", "br_features_quicktime", "br_features_realplayer",
    "br_features_windowsmedia", "br_features_gears", "br_features_silverlight", "br_cookies", "br_colordepth",
    "br_viewwidth", "br_viewheight", "os_name", "os_family", "os_manufacturer", "os_timezone", "dvce_type",
    "dvce_ismobile", "dvce_screenwidth", "dvce_screenheight", "doc_charset", "doc_width", "doc_height",
    "tr_currency", "tr_total_base", "tr_tax_base", "tr_shipping_base", "ti_currency", "ti_price_base",
    "base_currency", "geo_timezone", "mkt_clickid", "mkt_network", "etl_tags", "dvce_sent_tstamp",
    "refr_domain_userid", "refr_dvce_tstamp", "derived_contexts", "domain_sessionid", "derived_tstamp",
    "event_vendor", "event_name", "event_format", "event_version", "event_fingerprint", "true_tstamp",
)  # fmt: skip
"""The 131 columns of the enriched TSV, which has no header."""

SHAPE = Shape(events, profiles, columns=ATOMIC)
