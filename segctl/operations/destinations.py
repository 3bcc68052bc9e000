"""Destinations against their kinds: settings checked, names of identifiers and modes known, and connectors made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.compile.destination_options import bind_options
from segctl.compile.destinations import OF_KIND, Written
from segctl.compile.suggest import did_you_mean, one_of
from segctl.model.destinations import Destination
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.project import Definitions
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Abilities, Around, Connector

RECIPIENTS = ("esp", "ads", "crm", "file", "webhook", "warehouse")


def with_options(definitions: Definitions) -> tuple[Definitions, list[Diagnostic]]:
    """The definitions with destinations whose settings are those of their kinds, and what is wrong with them.

    A destination with an error is left out.
    """
    if not definitions.destinations:
        return definitions, []
    bound: dict[str, Destination] = {}
    findings: list[Diagnostic] = []
    for name, destination in definitions.destinations.items():
        checked, found = _checked(destination)
        findings += found
        if checked is not None and not any(one.severity is Severity.ERROR for one in found):
            bound[name] = checked
    checked_all = replace(definitions, destinations=bound)
    if definitions.workflows:
        from segctl.operations.workflow.checks import unable_steps

        findings += unable_steps(checked_all)
    return checked_all, findings


def find_destination(definitions: Definitions, name: str) -> Destination:
    """The destination of that name.

    Raises:
        UsageError: There is none.
    """
    found = definitions.destinations.get(name)
    if found is None:
        raise unknown_thing("destination", name, list(definitions.destinations))
    return found


def abilities_of(destination: Destination) -> Abilities:
    """What a destination can do."""
    from segctl.connectors.destinations import abilities

    return abilities(destination)


def connector_of(destination: Destination, around: Around) -> Connector:
    """The connector of a destination; nothing is read or asked before it is used."""
    from segctl.connectors.destinations import connected

    return connected(destination, around)


def recipient_of(destination: Destination) -> dict[str, str]:
    """Class, country and transfer basis of who receives, for the gate; the class is the kind's where none is given."""
    return {"class": abilities_of(destination).recipient, **dict(destination.recipient)}


def channel_of(destination: Destination) -> str:
    """What people are reached by there."""
    return destination.channel or abilities_of(destination).channel


def _checked(destination: Destination) -> tuple[Destination | None, list[Diagnostic]]:
    from segctl.connectors.destinations import kind, kinds

    try:
        module = kind(destination.kind)
    except LookupError:
        hint = did_you_mean(destination.kind, kinds()) or "`segctl help destinations` lists the kinds"
        message = f"`{destination.kind}` is no kind of destination"
        return None, [Diagnostic("SEG891", Severity.ERROR, message, _place(destination, "kind"), hint=hint)]
    options, found = bind_options(destination, module.OPTIONS)
    checked = replace(destination, options=options)
    able = abilities_of(checked)
    if "mode" not in destination.options and checked.mode not in able.modes:
        checked = replace(checked, mode=able.modes[0])
    places = {key: _place(destination, key) for key in OF_KIND}
    return checked, [*found, *_unable(checked, places)]


def _place(destination: Destination, key: str) -> Location | None:
    """Where a key's value stands, before the settings are checked."""
    written = destination.options.get(key)
    return written.value.location if isinstance(written, Written) else destination.location


def _unable(destination: Destination, places: Mapping[str, Location | None]) -> Iterator[Diagnostic]:
    """What the declaration wants and the kind cannot."""
    able, what = abilities_of(destination), f"a destination of the kind `{destination.kind}`"
    if destination.mode not in able.modes:
        hint = f"it can {one_of(able.modes, 'or')}"
        yield _error(f"{what} cannot `{destination.mode}`", places["mode"], hint)
    for name, _ in destination.identify:
        if name not in able.identifiers:
            hint = did_you_mean(name, able.identifiers) or f"it knows people by {one_of(able.identifiers)}"
            yield _error(f"{what} knows nobody by `{name}`", places["identify"], hint)
    given = dict(destination.recipient).get("class")
    if given is not None and given not in RECIPIENTS:
        yield _error(f"`{given}` is no class of recipient", places["recipient"], f"write {one_of(RECIPIENTS, 'or')}")


def _error(message: str, place: Location | None, hint: str) -> Diagnostic:
    return Diagnostic("SEG892", Severity.ERROR, message, place, hint=hint)
