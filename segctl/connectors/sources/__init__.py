"""Connectors of sources that are no files, by kind; one file and one line each."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.connectors.sources.base import Around, Connector
    from segctl.model.fetching import Fetch

GROUP = "segctl.connectors"
CONNECTORS: dict[str, str] = {
    "rest": "segctl.connectors.sources.http:RestConnector",
    "database": "segctl.connectors.sources.database:DatabaseConnector",
    "singer": "segctl.connectors.sources.singer:SingerConnector",
    "collector": "segctl.connectors.sources.collected:CollectedConnector",
}
"""Kind → ``module:attribute``, called with the declaration and its surroundings."""


def connect(fetch: Fetch, around: Around) -> Connector:
    """The connector of a declaration; nothing is read or asked before it is used.

    Raises:
        LookupError: Nobody has registered its kind.
    """
    target = CONNECTORS.get(fetch.kind)
    if target is not None:
        module, _, attribute = target.partition(":")
        factory = getattr(import_module(module), attribute)
    else:
        found = [point for point in entry_points(group=GROUP) if point.name == fetch.kind]
        if not found:
            raise LookupError(fetch.kind)
        factory = found[0].load()
    made: Connector = factory(fetch, around)
    return made
