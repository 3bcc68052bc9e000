"""The proxies of `segctl help listen` hand on every address that the collector takes, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest

from segctl.cli.commands.help import topic_text
from segctl.connectors.collector.routes import HOOKS, IN, ROUTES

TEXT = topic_text("listen")
TAKEN = (*ROUTES, f"{IN}forms", f"{HOOKS}shop", "/k/KEY/v1/track")
OTHERS = ("/", "/metrics", "/health", "/invoices", "/events", "/ideas", "/v1", "/gtm/x", "/hooks")


def by_caddy(path: str) -> bool:
    found = re.search(r"@in path ((?:.*\\\n)*.*)", TEXT)
    assert found
    return any(fnmatchcase(path, pattern) for pattern in found[1].replace("\\\n", " ").split())


def by_nginx(path: str) -> bool:
    found = re.search(r"location ~ (\S+) \{", TEXT)
    assert found
    return re.search(found[1], path) is not None


@pytest.mark.parametrize("takes", [by_caddy, by_nginx])
def test_every_address_of_the_collector_is_handed_on(takes: Callable[[str], bool]) -> None:
    assert [path for path in TAKEN if not takes(path)] == []
    assert [path for path in OTHERS if takes(path)] == []
