"""What a second look at workflows found: edits, late data, pauses, withdrawal, programs, the clock within a look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workflow_shop import NOON, Shop, copied, later

from segctl.operations.session import open_session
from segctl.operations.workflow.migrating import migrated

controllers = pytest.importorskip("aiosmtpd.controller")
MAIL = "{mail: hello, to: mailer}"
CART = "purpose: service\ntrigger: {entered: full_cart}\nreentry: always\nsteps:\n"


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
