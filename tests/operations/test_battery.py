"""Every segment of the example shop against an independent SQL statement over the sample files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from shop_tables import AS_OF, database

from segctl.compile.places.postal import shipped_codes
from segctl.compile.plan import plan
from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.operations.evaluation import evaluate, load_input
from segctl.operations.ingest.ingest import chosen_sources, ingest
from segctl.operations.init import create_project
from segctl.operations.session import open_session
from segctl.state.workspace import Workspace

ANSWERS = {
    "account_prospects": """
        SELECT p.who FROM person p WHERE p.who NOT IN (SELECT who FROM orders) AND EXISTS (
            SELECT 1 FROM person o JOIN orders USING (who)
            WHERE o.company = p.company AND o.who <> p.who AND ts > ago(180))""",
    "active_accounts": """
        SELECT who FROM person WHERE company IN (
            SELECT company FROM person WHERE who IN (SELECT who FROM web WHERE kind = 'product_viewed' AND ts > ago(30))
            GROUP BY company HAVING count(*) >= 3)""",
    "big_spenders": "SELECT who FROM orders WHERE ts > ago(90) GROUP BY who HAVING sum(cents) >= 50000",
    "birthday_week": """
        SELECT who FROM person JOIN worth USING (who) WHERE strftime(born, '%m-%d') IN (
            SELECT strftime(DATE '2026-11-18' + n::INTEGER, '%m-%d') FROM range(7) r(n))""",
    "both_channels": """
        SELECT who FROM orders WHERE channel = 'web' INTERSECT SELECT who FROM orders WHERE channel = 'filiale'""",
    "browsing_again": """
        SELECT who FROM web WHERE kind = 'page_viewed' AND ts > ago(30) GROUP BY who HAVING count(DISTINCT day) >= 3
        EXCEPT SELECT who FROM orders WHERE ts > ago(30)""",
    "bulk_buyers": "SELECT who FROM items GROUP BY who HAVING sum(quantity) >= 8",
    "cart_abandoners": """
        SELECT who FROM web w WHERE kind = 'product_added' AND ts > ago(1) AND ts <= ago(2.0 / 24)
            AND NOT EXISTS (SELECT 1 FROM web o WHERE o.who = w.who AND o.kind = 'product_added'
                            AND o.ts >= w.ts AND o.id <> w.id)
            AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.who = w.who AND o.ts >= w.ts)
            AND who NOT IN (SELECT who FROM staff)""",
    "christmas_buyers": "SELECT who FROM orders WHERE month(day) IN (11, 12)",
    "clicked_not_bought": """
        SELECT who FROM mails m WHERE kind = 'clicked' AND ts > ago(60) AND ts <= ago(14) AND NOT EXISTS (
            SELECT 1 FROM orders o WHERE o.who = m.who AND o.ts >= m.ts AND o.ts <= m.ts + now() - ago(14))""",
    "climbed_to_gold": """
        SELECT who FROM (SELECT *, lag(tier) OVER (PARTITION BY who ORDER BY valid, arrival) AS before FROM customers)
        WHERE tier = 'gold' AND before IS NOT NULL AND before <> 'gold' AND valid > ago(60) AND valid <= now()""",
    "coupon_buyers": """
        SELECT who FROM orders GROUP BY who HAVING count(*) >= 2 AND count(coupon) >= 0.5 * count(*)""",
    "customer_jubilee": """
        SELECT who FROM person WHERE epoch_us(since::TIMESTAMP) - 3600000000 <= ago(300) AND strftime(since, '%m-%d') IN
            (SELECT strftime(DATE '2026-11-18' + n::INTEGER, '%m-%d') FROM range(7) r(n))""",
    "dormant": """
        SELECT who FROM person WHERE epoch_us(since::TIMESTAMP) - 7200000000 <= ago(180)
        EXCEPT SELECT who FROM web WHERE kind IN ('page_viewed', 'product_viewed') AND ts > ago(120)
        EXCEPT SELECT who FROM orders WHERE ts > ago(120)""",
    "frequent_askers": """
        SELECT who FROM ticket WHERE opened > ago(90) AND who IS NOT NULL GROUP BY who HAVING count(*) >= 3""",
    "full_baskets": "SELECT who FROM worth WHERE orders >= 2 AND cents >= 20000 * orders",
    "gold_at_risk": "SELECT who FROM person WHERE tier = 'gold' EXCEPT SELECT who FROM orders WHERE ts > ago(120)",
    "loyal_monthly": """
        SELECT who FROM orders WHERE ts > epoch_us(TIMESTAMPTZ '2025-11-18 23:59:59.999999+01')
        GROUP BY who HAVING count(DISTINCT strftime(day, '%Y-%m')) >= 4""",
    "many_returns": """
        SELECT who FROM worth JOIN (SELECT who, sum(cents) AS back FROM refunds GROUP BY who) USING (who)
        WHERE back > 0.4 * cents""",
    "mobile_visitors": """
        SELECT who FROM (
            SELECT who, device, row_number() OVER (PARTITION BY who ORDER BY count(*) DESC, max((ts, id)) DESC) AS place
            FROM web WHERE kind = 'page_viewed' AND ts > ago(90) GROUP BY who, device)
        WHERE place = 1 AND device = 'mobil'""",
    "near_a_store": """
        SELECT DISTINCT who FROM person JOIN codes c USING (country, postal), stores s
        WHERE round(2 * 6371008.8 * asin(sqrt(sin(radians(s.lat - c.lat) / 2) ** 2
            + cos(radians(c.lat)) * cos(radians(s.lat)) * sin(radians(s.lon - c.lon) / 2) ** 2))) <= 30000
        EXCEPT SELECT who FROM orders WHERE channel = 'filiale'""",
    "new_customers": "SELECT who FROM orders GROUP BY who HAVING min(ts) > ago(30)",
    "newsletter_readers": """
        SELECT who FROM mails d WHERE kind = 'delivered' AND ts > ago(180) AND EXISTS (
            SELECT 1 FROM mails o WHERE o.kind = 'opened' AND o.who = d.who AND o.mailing = d.mailing AND o.ts > d.ts
                AND o.ts <= d.ts + now() - ago(7))
        GROUP BY who HAVING count(*) >= 3""",
    "newsletter_sleepers": """
        SELECT who FROM mails WHERE kind = 'delivered' AND ts > ago(180) GROUP BY who HAVING count(*) >= 5
        EXCEPT SELECT who FROM mails WHERE kind = 'opened' AND ts > ago(180)""",
    "november_regulars": """
        SELECT who FROM orders WHERE day >= DATE '2024-01-01' AND month(day) = 11
        GROUP BY who HAVING count(DISTINCT year(day)) >= 2""",
    "one_time_buyers": "SELECT who FROM worth WHERE orders = 1 AND last <= ago(60)",
    "open_complaints": "SELECT who FROM ticket WHERE status <> 'erledigt' AND who IS NOT NULL",
    "opened_three_of_five": """
        SELECT who FROM (
            SELECT *, row_number() OVER (PARTITION BY who ORDER BY ts DESC, id DESC) AS place
            FROM mails WHERE kind = 'delivered') d
        WHERE place <= 5 AND EXISTS (
            SELECT 1 FROM mails o WHERE o.kind = 'opened' AND o.who = d.who AND o.mailing = d.mailing AND o.ts > d.ts
                AND o.ts <= d.ts + now() - ago(7))
        GROUP BY who HAVING count(*) >= 3""",
    "overdue": """
        SELECT who FROM (SELECT who, max(ts) AS last, (max(ts) - min(ts)) / (count(*) - 1) AS gap
                         FROM orders GROUP BY who HAVING count(*) >= 2)
        WHERE gap > 0 AND (now() - last) / gap >= 2""",
    "points_to_redeem": """
        SELECT who FROM person WHERE points >= 1000
        EXCEPT SELECT who FROM orders WHERE coupon IS NOT NULL AND ts > ago(90)""",
    "quick_second_order": """
        SELECT who FROM (SELECT who, ts, row_number() OVER (PARTITION BY who ORDER BY ts) AS place FROM orders) PIVOT (
            min(ts) FOR place IN (1 AS one, 2 AS two)) WHERE two - one <= now() - ago(60)""",
    "reactivated": """
        SELECT who FROM (
            SELECT who, ts, ts - lag(ts) OVER (PARTITION BY who ORDER BY ts) AS gap,
                row_number() OVER (PARTITION BY who ORDER BY ts DESC) AS place FROM orders)
        WHERE place = 1 AND ts > ago(30) AND gap >= now() - ago(180)""",
    "registered_not_bought": """
        SELECT who FROM person WHERE epoch_us(since::TIMESTAMP) - 7200000000 > ago(60)
        EXCEPT SELECT who FROM orders""",
    "rfm_at_risk": "SELECT who FROM rfm WHERE recency <= 2 AND frequency >= 4 AND monetary >= 3",
    "rfm_best": "SELECT who FROM rfm WHERE recency = 5 AND frequency = 5 AND monetary = 5",
    "rfm_champions": "SELECT who FROM rfm WHERE recency >= 4 AND frequency >= 4 AND monetary >= 4",
    "second_order_due": "SELECT who FROM worth WHERE orders = 1 AND last > ago(60) AND last <= ago(14)",
    "sneaker_fans": """
        SELECT who FROM person WHERE list_contains(string_split(likes, '|'), 'Sneaker')
        UNION SELECT who FROM (
            SELECT who, category,
                row_number() OVER (PARTITION BY who ORDER BY count(*) DESC, max((ts, id)) DESC) AS place
            FROM web WHERE kind = 'product_viewed' GROUP BY who, category)
        WHERE place = 1 AND category = 'Sneaker'""",
    "sneakers_not_bags": """
        SELECT who FROM items WHERE category = 'Sneaker' EXCEPT SELECT who FROM items WHERE category = 'Taschen'""",
    "staff": "SELECT who FROM staff",
    "viewed_not_bought": """
        SELECT who FROM (
            SELECT who, product FROM web WHERE kind = 'product_viewed' AND ts > ago(14)
                GROUP BY ALL HAVING count(*) >= 2
            EXCEPT SELECT who, product FROM web WHERE kind = 'product_added' AND ts > ago(14))""",
    "vip": """
        SELECT who FROM (
            SELECT who, row_number() OVER (PARTITION BY country ORDER BY cents DESC, who) AS place,
                count(*) OVER (PARTITION BY country) AS people
            FROM person JOIN worth USING (who) WHERE who IN (
                SELECT who FROM orders WHERE ts > epoch_us(TIMESTAMPTZ '2025-11-18 23:59:59.999999+01')
                GROUP BY who HAVING count(*) >= 2))
        WHERE place <= ceil(people * 0.1)""",
    "waiting_too_long": "SELECT who FROM ticket WHERE status = 'offen' AND opened <= ago(3) AND who IS NOT NULL",
    "weekend_buyers": """
        SELECT who FROM orders GROUP BY who
        HAVING count(*) >= 3 AND count(*) FILTER (isodow(day) >= 6) >= 0.6 * count(*)""",
    "wide_interests": """
        SELECT who FROM web WHERE kind = 'product_viewed' AND ts > ago(180)
        GROUP BY who HAVING count(DISTINCT category) >= 5""",
    "winback": """
        SELECT who FROM worth WHERE orders >= 2 AND last > ago(180) AND last <= ago(90) AND who IN (
            SELECT who FROM mails WHERE kind = 'opened' AND ts > ago(90) UNION SELECT who FROM person WHERE news)""",
    "wrong_size": "SELECT who FROM refunds WHERE reason IN ('zu klein', 'zu groß') GROUP BY who HAVING count(*) >= 2",
    "young_sneaker_fans": """
        SELECT who FROM person WHERE date_sub('year', born, DATE '2026-11-18') < 30 AND who IN (
            SELECT who FROM person WHERE list_contains(string_split(likes, '|'), 'Sneaker')
            UNION SELECT who FROM (
                SELECT who, category,
                    row_number() OVER (PARTITION BY who ORDER BY count(*) DESC, max((ts, id)) DESC) AS place
                FROM web WHERE kind = 'product_viewed' GROUP BY who, category)
            WHERE place = 1 AND category = 'Sneaker')""",
}
ANSWERS |= {
    f"fans_of_{name}": f"""
        SELECT who FROM items WHERE category = '{category}' GROUP BY who HAVING count(*) >= 2
        UNION SELECT who FROM web WHERE kind = 'product_viewed' AND ts > ago(60) AND category = '{category}'
        GROUP BY who HAVING count(DISTINCT day) >= 3"""
    for name, category in {
        "jacken": "Jacken", "taschen": "Taschen", "kinder": "Kinder", "wohnen": "Wohnen", "sport": "Sport",
        "buecher": "Bücher",
    }.items()
}  # fmt: skip
WITHOUT_SQL = {"welcome_test"}
"""A pseudo-random share, which only its own hash can tell."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop, ingested."""
    folder = tmp_path_factory.mktemp("battery")
    create_project(folder)
    project, _ = load_project(folder)
    sources, problems = load_sources(project)
    assert problems == []
    with Workspace.open(Path(project.workspace), create=True) as workspace:
        ingest(project, workspace, chosen_sources(sources, []), now=AS_OF)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, set[str]]:
    """Members of every segment, as segctl answers."""
    with open_session(folder) as session:
        names = list(session.definitions.segments)
        answers = evaluate(session, names, as_of=AS_OF, snapshot=session.workspace.snapshot())
        ids = load_input(session, plan([]), as_of=AS_OF, snapshot=session.workspace.snapshot()).profiles
    assert answers.failed == {}
    frame = answers.frame.join(ids.select("subject", "profile_id"), on="subject")
    return {name: set(frame.filter(frame[name])["profile_id"]) for name in names}


@pytest.fixture(scope="module")
def sql(folder: Path) -> Any:
    """The sample files as tables."""
    codes = {key: (at[0] / 1e6, at[1] / 1e6) for key, (at, _) in shipped_codes().places.items()}
    return database(folder / "data", folder / "lists" / "stores.csv", codes)


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_segment_has_the_members_that_sql_finds(name: str, found: dict[str, set[str]], sql: Any) -> None:
    expected = {row[0] for row in sql.execute(ANSWERS[name]).fetchall()}

    assert found[name] == expected
    assert 0 < len(expected) < 2_000


def test_every_segment_is_asked(found: dict[str, set[str]]) -> None:
    assert set(found) == set(ANSWERS) | WITHOUT_SQL
    assert len(found) >= 40


def test_every_segment_says_what_it_is_for(folder: Path) -> None:
    with open_session(folder) as session:
        segments = session.definitions.segments.values()

    for segment in segments:
        assert all((segment.title, segment.description, segment.owner, segment.purpose, segment.tags)), segment.name
