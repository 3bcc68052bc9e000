"""What a second look at workflows found: edits, late data, pauses, withdrawal, programs, the clock within a look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from workflow_shop import NOON, Shop, copied, later

from segctl.operations.session import open_session
from segctl.operations.workflow.migrating import migrated

controllers = pytest.importorskip("aiosmtpd.controller")
MAIL = "{mail: hello, to: mailer}"
CART = "purpose: service\ntrigger: {entered: full_cart}\nreentry: always\nsteps:\n"

WITH_N = (
    "source: web\npath: more*.csv\nkey: {customer_id: nr}\n"
    "events: [{event: {column: event}, time: at, id: id, properties: {n: n}}]\n"
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = copied(tmp_path)
    server = controllers.Controller(made.post, hostname="127.0.0.1", port=made.port)
    server.start()
    yield made
    server.stop()


def enter(shop: Shop, *people: int) -> None:
    shop.events(*((one, "added", NOON) for one in people), at=later(minutes=10))


# --- Edits --------------------------------------------------------------------------------------------------
def test_who_had_a_mail_from_a_step_without_a_name_does_not_get_it_from_another(shop: Shop) -> None:
    shop.workflow(CART + "".join(f"- {step}\n" for step in (MAIL, "wait: 5 hours", MAIL)))
    enter(shop, 0)
    shop.run(later(minutes=20))

    for steps, moved in (
        (["wait: 1 minutes", MAIL, "wait: 5 hours", MAIL], (0, 1)),
        ([MAIL, MAIL], (0, 1)),
        (["set: {tier: gold}", "wait: 1 minutes", MAIL], (0, 1)),
        ([MAIL, "wait: 1 minutes", "set: {tier: gold}"], (1, 0)),
    ):
        shop.workflow(CART + "".join(f"- {step}\n" for step in steps))
        with open_session(shop.folder) as session:
            assert migrated(session) == moved, steps
    shop.run(later(minutes=30))

    assert shop.mails == ["p0"]


# --- Events that come late, or several at once ---------------------------------------------------------------
def test_old_events_begin_nothing_and_of_several_new_ones_each_counts(shop: Shop) -> None:
    project = (shop.folder / "segctl.yaml").read_text("utf-8")
    shop.write("segctl.yaml", project.replace("bought: {}", "bought: {properties: {n: integer}}"))
    shop.write("sources/web.yaml", WITH_N)
    shop.write(
        "workflows/thanks.yaml",
        "workflow: thanks\npurpose: service\ntrigger: {event: bought, where: {n: {at_least: 1}}}\nreentry: 1 hours\n"
        f"steps: [{MAIL}]\n",
    )
    shop.run(later(days=-3))
    soon, late = later(minutes=5), later(hours=2)
    _bought(shop, (0, 1, later(days=-300)), (1, 1, later(days=-5)), (3, 1, soon), (3, 1, later(minutes=30)),
            (3, 1, late), (4, 0, soon), (4, 1, late))  # fmt: skip

    ran = shop.run(later(hours=3))
    _bought(shop, (2, 1, later(days=-2)))
    again = shop.run(later(days=6))

    assert sorted(shop.mails) == ["p3", "p3", "p4"]
    assert ran.handled.entered == {"thanks": 3}
    assert again.handled.is_empty


def _bought(shop: Shop, *rows: tuple[int, int, datetime]) -> None:
    name = f"more{len(list(shop.folder.glob('more*.csv')))}"
    lines = [f"{nr},bought,{at.isoformat()},{name}{number},{n}\n" for number, (nr, n, at) in enumerate(rows)]
    shop.write(f"{name}.csv", "nr,event,at,id,n\n" + "".join(lines))
    shop.ingest()
