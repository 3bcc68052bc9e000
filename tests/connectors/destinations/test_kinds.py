"""The table of kinds: each is there, whole, and imported without anything heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from segctl.connectors.destinations import DESTINATIONS, abilities, kind, kinds
from segctl.model.destinations import Destination


def test_importing_the_kinds_loads_no_client_and_no_engine() -> None:
    heavy = {"requests", "urllib3", "sqlalchemy", "polars", "numpy", "pyarrow", "deltalake", "smtplib", "sqlite3"}
    code = f"import sys, {', '.join(DESTINATIONS.values())}; print(' '.join(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert heavy & set(done.stdout.split()) == set()


@pytest.mark.parametrize("name", DESTINATIONS)
def test_a_kind_is_whole(name: str) -> None:
    module = kind(name)

    assert abilities(Destination("one", name)).batch_rows >= 1
    assert len({option.name for option in module.OPTIONS}) == len(module.OPTIONS)
    assert name in kinds()


def test_an_unknown_kind_is_said_to_be_unknown() -> None:
    with pytest.raises(LookupError):
        kind("carrier-pigeon")
