"""Audiences that a destination refuses, and destinations that cannot be read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fake_service import Connector
from shop import Shop

from segctl.connectors.destinations.base import BatchRefusedError, Member
from segctl.model.errors import UsageError

ANNA = "anna@example.org"


@dataclass
class Fussy(Connector):
    """Makes no audience, and shows none."""

    error: Exception = BatchRefusedError("answered 400: the name is taken")  # noqa: RUF009 - raised, never changed

    def audience(self, segment: str, name: str) -> str:
        raise self.error


@dataclass
class Shut(Connector):
    """Shows nobody who is there."""

    error: Exception = BatchRefusedError("answered 400")  # noqa: RUF009 - likewise

    def members(self, audience: str) -> Iterator[Member]:
        raise self.error


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "ws")
    made.add(ANNA)
    yield made
    made.close()


def test_people_of_an_audience_that_is_refused_wait_for_the_next_push(shop: Shop) -> None:
    part = shop.push(Fussy(shop.service))

    assert part.tally.waiting == 1
    assert shop.push().tally.added == 1


@pytest.mark.parametrize("error", [BatchRefusedError("answered 400"), UsageError("SEG999", "the key is refused")])
def test_what_cannot_be_read_back_for_any_reason_stays_unknown(shop: Shop, error: Exception) -> None:
    shop.abilities = replace(shop.abilities, is_repeatable=False, reads_back=True)

    part = shop.push(Shut(shop.service, faults=["timeout after"], error=error))

    assert (part.tally.added, part.tally.unknown) == (0, 1)
    assert shop.push().tally.held == 1
