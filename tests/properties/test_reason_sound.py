"""Nothing is claimed of definitions that the slow oracle disproves on nasty random data."""

from __future__ import annotations

import os

import pytest
from reason_tools import wrong_claims

START, MANY = (int(os.environ.get(f"SEGCTL_PROPERTY_{name}", n)) for name, n in (("START", "0"), ("EXAMPLES", "5000")))


@pytest.mark.parametrize("start", range(0, 160, 40))
def test_no_claim_about_definitions_is_disproved_by_data(start: int) -> None:
    assert [claim for seed in range(start, start + 40) for claim in wrong_claims(seed)] == []


@pytest.mark.slow
def test_no_claim_is_disproved_on_many_more_examples() -> None:
    """The long run; each number from SEGCTL_PROPERTY_START on is one example."""
    assert [claim for seed in range(START, START + MANY) for claim in wrong_claims(seed)] == []
