"""Tracking records of five tools, none written for this program, beside answers that DuckDB gives on the raw files."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from end_to_end.program import document, ok

KINDS = (
    "page_viewed", "screen_viewed", "products_searched", "product_list_viewed", "product_clicked", "product_viewed",
    "product_added", "product_removed", "checkout_step_completed", "payment_info_entered", "promotion_viewed",
    "promotion_clicked", "order_refunded", "user_engagement", "session_start", "first_visit", "scroll",
)  # fmt: skip
PROJECT = """
segctl: 1
name: web
timezone: UTC
population: [known, anonymous]
identifiers:
  user_id: {class: known}
  anonymous_id: {class: anonymous}
events:
  order_completed: {properties: {order_id: text, value: money, currency: text}}
  session: {properties: {duration: integer, pages: integer, events: integer, entry_page: text}}
"""
TRAITS = """traits:
  orders: {event: order_completed, count: {}}
  revenue: {event: order_completed, sum: {of: value}}
  visits: {event: session, count: {}}
  seconds: {event: session, sum: {of: duration}}
  pages: {event: session, sum: {of: pages}}
"""
GAP_US = 30 * 60 * 1_000_000


class Web:
    """A project that reads one file of tracking records."""

    def __init__(self, folder: Path, path: Path, shape: str, *more: str) -> None:
        self.folder = folder
        for name in ("sources", "segments", "traits"):
            (folder / name).mkdir(parents=True)
        kinds = "".join(f"  {kind}: {{properties: {{path: text}}}}\n" for kind in KINDS)
        (folder / "segctl.yaml").write_text(PROJECT + kinds)
        (folder / "traits" / "web.yaml").write_text(TRAITS)
        (folder / "segments" / "everybody.yaml").write_text('segment: everybody\nwhere: {event: "*"}\n')
        lines = ["source: web", f"path: {path}", f"tracking: {shape}", "max_bad_rows: 80 %", *more]
        (folder / "sources" / "web.yaml").write_text("\n".join(lines) + "\n")
        self.sources = {row["source"]: row for row in document("ingest", cwd=folder)["run"]["sources"]}

    @property
    def events(self) -> dict[str, Any]:
        """What the ingest said about the events."""
        return self.sources["web"]

    def people(self, as_of: str) -> dict[str, dict[str, str]]:
        """Computed traits of everybody, by profile."""
        document("apply", "--as-of", as_of, cwd=self.folder)
        columns = "profile_id,orders,revenue,visits,seconds,pages"
        text = ok("show", "segment:everybody", "--columns", columns, "-f", "csv", cwd=self.folder)
        return {row["profile_id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def accounted(source: dict[str, Any]) -> int:
    """Messages that have an end: new, known, bad, nobody's or left out."""
    return sum(source[name] for name in ("new", "duplicates", "conflicts", "bad", "unclaimed", "skipped"))


def total(people: dict[str, dict[str, str]], trait: str) -> Decimal:
    return sum((Decimal(row[trait] or 0) for row in people.values()), Decimal(0))


def sessions_sql(events: str) -> str:
    """Sessions, their seconds and pages from a table of `visitor, t (microseconds), is_page`, by windows alone."""
    return f"""
    WITH marked AS (SELECT *, CASE WHEN t - lag(t) OVER w <= {GAP_US} THEN 0 ELSE 1 END AS begins FROM
                      (SELECT *, row_number() OVER () AS r FROM {events})
                    WINDOW w AS (PARTITION BY visitor ORDER BY t, r)),
         numbered AS (SELECT *, sum(begins) OVER (PARTITION BY visitor ORDER BY t, r ROWS UNBOUNDED PRECEDING) AS n
                      FROM marked),
         one AS (SELECT visitor, n, (max(t) - min(t)) // 1000000 AS seconds, count(*) FILTER (is_page) AS pages
                 FROM numbered GROUP BY ALL)
    SELECT count(*), sum(seconds), sum(pages) FROM one"""


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(config={"threads": 1})
    database.execute(f"SET file_search_path = '{folder}'")
    return database


def facts(folder: Path) -> dict[str, Any]:
    return {fact["name"]: fact["value"] for fact in json.loads((folder / "facts.json").read_text())["facts"]}


RUDDER = """
CREATE TABLE e AS
SELECT *, row_number() OVER (PARTITION BY id ORDER BY line) AS times FROM (
  SELECT line, json->>'$.userId' AS u, json->>'$.anonymousId' AS a,
    coalesce(json->>'$.messageId', json->>'$.message_id', json::text) AS id,
    lower(json->>'$.type') AS type,
    CASE lower(json->>'$.type') WHEN 'page' THEN 'page_viewed' WHEN 'screen' THEN 'screen_viewed' WHEN 'track' THEN
      CASE regexp_replace(lower(coalesce(json->>'$.event.name', json->>'$.event')), '[^a-z0-9]+', '_', 'g')
        WHEN 'order_completed' THEN 'order_completed' WHEN 'purchase' THEN 'order_completed'
        WHEN 'order_complete' THEN 'order_completed' WHEN 'product_viewed' THEN 'product_viewed'
        WHEN 'product_added' THEN 'product_added' WHEN 'add_to_cart' THEN 'product_added'
        WHEN 'product_clicked' THEN 'product_clicked' WHEN 'product_removed' THEN 'product_removed'
        WHEN 'product_list_viewed' THEN 'product_list_viewed' WHEN 'promotion_clicked' THEN 'promotion_clicked'
        WHEN 'promotion_viewed' THEN 'promotion_viewed' WHEN 'products_searched' THEN 'products_searched'
        WHEN 'product_searched' THEN 'products_searched' WHEN 'view_search_results' THEN 'products_searched'
        WHEN 'order_refunded' THEN 'order_refunded' WHEN 'payment_info_entered' THEN 'payment_info_entered'
        WHEN 'checkout_step_completed' THEN 'checkout_step_completed' END END AS kind,
    coalesce(json->>'$.properties.value', json->>'$.properties.total', json->>'$.properties.revenue',
      json->>'$.properties.Revenue') AS value
  FROM (SELECT row_number() OVER () AS line, json FROM read_json_objects('messages.jsonl', maximum_object_size=4000000))
  WHERE regexp_matches(concat(json->>'$.timestamp', json->>'$.originalTimestamp', json->>'$.sentAt',
                              json->>'$.receivedAt'), '[0-9]{4}')
) WHERE kind IS NOT NULL AND coalesce(nullif(u, ''), nullif(a, '')) IS NOT NULL AND id IS NOT NULL
"""


def test_rudderstack_messages(shared: Path, tmp_path: Path) -> None:
    folder = shared / "datasets" / "rudderstack_messages"
    known, database = facts(folder), connect(folder)

    web = Web(tmp_path / "p", folder / "messages.jsonl", "segment", "events: {Product Clicked: product_clicked}")

    of_type = dict(known["by type"])
    assert web.events["read"] == of_type["track"] + of_type["page"] + of_type["screen"] + of_type["group"]
    assert web.sources["web/identify"]["read"] == of_type["identify"] + of_type["alias"]
    assert accounted(web.events) == web.events["read"]
    assert accounted(web.sources["web/identify"]) == web.sources["web/identify"]["read"]
    database.execute(RUDDER)
    assert web.events["by_kind"] == dict(
        database.execute("SELECT kind, count(*) FROM e WHERE times = 1 GROUP BY 1").fetchall()
    )
    people = web.people("2026-01-01")
    ((orders, revenue),) = database.execute(
        "SELECT count(*), sum(round(value::decimal(18,6), 2)) FROM e WHERE times = 1 AND kind = 'order_completed'"
    ).fetchall()
    assert (total(people, "orders"), total(people, "revenue")) == (orders, Decimal(revenue))
    assert orders > 10


def test_payloads_of_segments_documentation(shared: Path, tmp_path: Path) -> None:
    folder = shared / "datasets" / "segment_spec"
    known = facts(folder)

    web = Web(tmp_path / "p", folder / "payloads.jsonl", "segment")

    about = web.sources["web/identify"]
    assert web.events["read"] + about["read"] == known["rows"]
    assert about["read"] == dict(known["by type"])["identify"] + dict(known["by type"])["alias"]
    assert accounted(web.events) + accounted(about) == known["rows"]
    # 57 examples print no timestamp; 42 of them are events.
    assert web.events["bad"] == 42


def test_ga4_export(shared: Path, tmp_path: Path) -> None:
    folder = shared / "datasets" / "ga4_export"
    known, database = facts(folder), connect(folder)
    own = dict(known["by name"])

    web = Web(tmp_path / "p", folder / "events.jsonl", "ga4")

    assert accounted(web.events) == web.events["read"] == known["events"]
    assert web.events["by_kind"] == {
        "page_viewed": own["page_view"], "user_engagement": own["user_engagement"], "scroll": own["scroll"],
        "session_start": own["session_start"], "first_visit": own["first_visit"],
        "products_searched": own["view_search_results"], "promotion_viewed": own["view_promotion"],
        "payment_info_entered": own["add_payment_info"], "product_viewed": own["view_item"],
    }  # fmt: skip
    people = web.people("2021-01-02")
    assert len(people) == known["users"]
    database.execute(
        "CREATE TABLE e AS SELECT user_pseudo_id AS visitor, event_timestamp AS t, event_name = 'page_view' AS is_page "
        "FROM read_json('events.jsonl', sample_size=-1, maximum_object_size=4000000)"
    )
    ((sessions, seconds, pages),) = database.execute(sessions_sql("e")).fetchall()
    assert (total(people, "visits"), total(people, "seconds"), total(people, "pages")) == (sessions, seconds, pages)
    assert web.events["sessions"] == sessions
    # The same rows as Parquet, nested as BigQuery writes them.
    database.execute(
        "COPY (SELECT * FROM read_json('events.jsonl', sample_size=-1, maximum_object_size=4000000)) "
        f"TO '{tmp_path}/events.parquet'"
    )
    assert Web(tmp_path / "q", tmp_path / "events.parquet", "ga4").events["by_kind"] == web.events["by_kind"]


def test_ga360_hits(shared: Path, tmp_path: Path) -> None:
    """All 8,035 hits as a flat table."""
    folder = shared / "datasets" / "ga360_merch"
    known, database = facts(folder), connect(folder)
    actions, types = dict(known["hits by ecommerce_action_type"]), dict(known["hit types"])

    web = Web(tmp_path / "p", folder / "hits.parquet", "ga360")

    assert accounted(web.events) == web.events["read"]
    kinds = web.events["by_kind"]
    assert (kinds["page_viewed"], kinds["order_completed"]) == (types["PAGE"], known["distinct transactions"])
    assert {name: kinds[name] for name in ("product_clicked", "product_viewed", "product_added", "product_removed",
                                           "checkout_step_completed")} == {
        "product_clicked": actions["1"], "product_viewed": actions["2"], "product_added": actions["3"],
        "product_removed": actions["4"], "checkout_step_completed": actions["5"],
    }  # fmt: skip
    people = web.people("2018-01-01")
    assert total(people, "orders") == known["distinct transactions"]
    assert total(people, "revenue") == Decimal(str(known["revenue USD"]))
    # What became an event: pages and actions; other events of the site are not declared.
    database.execute(
        """CREATE TABLE e AS SELECT full_visitor_id AS visitor, epoch_us(ts::timestamptz) AS t, is_page FROM (
             SELECT *, true AS is_page FROM 'hits.parquet' WHERE hit_type = 'PAGE'
             UNION ALL SELECT *, false FROM 'hits.parquet' WHERE ecommerce_action_type IN ('1', '2', '3', '4', '5')
             UNION ALL SELECT *, false FROM 'hits.parquet'
               WHERE ecommerce_action_type = '6' AND transaction_revenue_micros IS NOT NULL)"""
    )
    ((sessions, seconds, pages),) = database.execute(sessions_sql("e")).fetchall()
    assert (total(people, "visits"), total(people, "seconds"), total(people, "pages")) == (sessions, seconds, pages)


def test_ga360_visits(shared: Path, tmp_path: Path) -> None:
    """The 150 visits with their hits nested, as the export has them."""
    folder = shared / "datasets" / "ga360_merch"
    database = connect(folder)
    database.execute(
        """CREATE TABLE h AS SELECT json->>'$.fullVisitorId' AS visitor, json->>'$.visitId' AS visit, unnest(
             from_json(json->'$.hits', '["json"]')) AS hit
           FROM read_json_objects('sessions_nested_raw.jsonl', maximum_object_size=16000000)"""
    )

    web = Web(tmp_path / "p", folder / "sessions_nested_raw.jsonl", "ga360")

    assert accounted(web.events) == web.events["read"]
    kinds = web.events["by_kind"]
    ((pages, views, orders, revenue),) = database.execute(
        """SELECT count(*) FILTER (hit->>'$.type' = 'PAGE'),
             count(*) FILTER (hit->>'$.eCommerceAction.action_type' = '2'),
             count(DISTINCT hit->>'$.transaction.transactionId') FILTER (hit->>'$.eCommerceAction.action_type' = '6'),
             (SELECT sum(r) / 1e6 FROM (SELECT max((hit->>'$.transaction.transactionRevenue')::bigint) AS r FROM h
                GROUP BY hit->>'$.transaction.transactionId')) FROM h"""
    ).fetchall()
    assert (kinds["page_viewed"], kinds["product_viewed"], kinds["order_completed"]) == (pages, views, orders)
    assert float(total(web.people("2018-01-01"), "revenue")) == pytest.approx(revenue, abs=0.001)


ACTIONS = {
    "product_view": "product_viewed", "list_view": "product_list_viewed", "list_click": "product_clicked",
    "checkout_step": "checkout_step_completed", "add_to_cart": "product_added", "remove_from_cart": "product_removed",
    "transaction": "order_completed", "refund": "order_refunded", "promo_view": "promotion_viewed",
    "promo_click": "promotion_clicked",
}  # fmt: skip


def test_snowplow_flat_table(shared: Path, tmp_path: Path) -> None:
    folder = shared / "datasets" / "snowplow_ecommerce"
    known = facts(folder)
    with_json = {name: rows for name, rows in known["action types"] if name is not None}

    web = Web(tmp_path / "p", folder / "snowplow_ecommerce_events.csv", "snowplow")

    assert accounted(web.events) == web.events["read"] == known["rows"]
    # Half of the rows keep their action in a table of its own, so all that is known of them is the common name.
    assert web.events["kinds_skipped"] == {"snowplow_ecommerce_action": dict(known["action types"])[None]}
    assert web.events["by_kind"] == {ACTIONS[name]: rows for name, rows in with_json.items()}


def test_snowplow_with_its_tables_joined(shared: Path, tmp_path: Path) -> None:
    folder = shared / "datasets" / "snowplow_ecommerce"
    known, database = facts(folder), connect(folder)
    ecommerce = "com_snowplowanalytics_snowplow_ecommerce"
    database.execute(
        f"""CREATE TABLE a AS SELECT root_id, any_value(type) AS type FROM read_csv('{ecommerce}_action_1.csv',
              all_varchar=true) GROUP BY 1;
            CREATE TABLE t AS SELECT * FROM read_csv('{ecommerce}_transaction_1.csv', all_varchar=true);
            CREATE TABLE m AS SELECT * FROM read_csv('com_snowplowanalytics_snowplow_client_session_1.csv',
              all_varchar=true);
            CREATE TABLE e AS SELECT event_id, collector_tstamp, derived_tstamp, event, event_name, domain_userid,
              domain_sessionid, page_urlpath FROM read_csv('snowplow_ecommerce_events.csv', all_varchar=true);
            COPY (SELECT e.*, CASE WHEN type IS NOT NULL THEN {{'type': type}} END AS
                unstruct_event_{ecommerce}_snowplow_ecommerce_action_1,
                (SELECT list(t) FROM t WHERE t.root_id = e.event_id) AS contexts_{ecommerce}_transaction_1,
                (SELECT list(m) FROM m WHERE m.root_id = e.event_id) AS
                  contexts_com_snowplowanalytics_snowplow_client_session_1
              FROM e LEFT JOIN a ON a.root_id = e.event_id) TO '{tmp_path}/joined.json'"""
    )

    web = Web(tmp_path / "p", tmp_path / "joined.json", "snowplow")

    assert accounted(web.events) == web.events["read"] == known["rows"]
    by_action = dict(
        database.execute("SELECT type, count(*) FROM e JOIN a ON root_id = event_id GROUP BY 1").fetchall()
    )
    assert web.events["by_kind"] == {ACTIONS[name]: rows for name, rows in by_action.items() if name in ACTIONS}
    people = web.people("2023-01-01")
    ((revenue,),) = database.execute(
        "SELECT sum(round(revenue::decimal(18,4), 2)) FROM (SELECT DISTINCT ON (t.root_id) revenue FROM t JOIN a USING "
        "(root_id) JOIN e ON e.event_id = root_id WHERE a.type = 'transaction')"
    ).fetchall()
    assert total(people, "revenue") == Decimal(revenue)
    database.execute(
        f"""CREATE TABLE v AS SELECT coalesce(domain_userid, (SELECT any_value(user_id) FROM m WHERE
              m.root_id = event_id)) AS visitor, epoch_us(derived_tstamp::timestamptz) AS t, false AS is_page
            FROM e JOIN a ON root_id = event_id WHERE type IN {tuple(ACTIONS)}"""
    )
    ((sessions, seconds, _),) = database.execute(sessions_sql("v")).fetchall()
    assert (total(people, "visits"), total(people, "seconds")) == (sessions, seconds)
