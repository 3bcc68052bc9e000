"""Which of several kinds of credentials a declaration gives, and other checks of options that belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.model.destinations import Destination


def way_in(destination: Destination, ways: Mapping[str, tuple[str, ...]]) -> str:
    """The one kind of credentials that is given whole.

    Args:
        destination: Its options are looked at.
        ways: Name → the options that it needs.

    Raises:
        UsageError: None is, or several are.
    """
    options = destination.options
    whole = [name for name, needed in ways.items() if all(options.get(option) is not None for option in needed)]
    if len(whole) == 1:
        return whole[0]
    listed = "; or ".join(", ".join(f"`{option}`" for option in needed) for needed in ways.values())
    found = "several kinds of credentials are given" if whole else "no credentials are given"
    raise UsageError(
        "SEG932",
        f"`{destination.name}`: {found}",
        hint=f"give exactly one of: {listed}",
        location=destination.location,
    )


def in_form(destination: Destination, option: str, form: re.Pattern[str], looks: str) -> str:
    """The value of an option that must have a form, since it becomes part of an address.

    Args:
        destination: Its options are looked at.
        option: Name.
        form: That the whole value matches.
        looks: What it looks like, in words.

    Raises:
        UsageError: It has not that form.
    """
    value = str(destination.options.get(option) or "")
    if form.fullmatch(value):
        return value
    raise UsageError(
        "SEG933",
        f"`{destination.name}`: `{option}: {value}` cannot be meant",
        why=f"it looks like {looks}",
        hint="copy it from the service",
        location=destination.location,
    )


def only_fields(destination: Destination, known: Iterable[str]) -> None:
    """Refuses fields that the service has not.

    Raises:
        UsageError: The declaration maps a trait to one.
    """
    names = tuple(known)
    for field, _ in destination.fields:
        if field not in names:
            raise UsageError(
                "SEG935",
                f"`{destination.name}`: `{destination.kind}` has no field `{field}`",
                hint=f"it has {', '.join(f'`{name}`' for name in names)}",
                location=destination.location,
            )


def missing_audience(destination: Destination, name: str, what: str) -> UsageError:
    """An id that leads to nothing."""
    return UsageError(
        "SEG936",
        f"`{destination.name}`: there is no {what} `{name}`",
        hint=f"make it there, or correct the name under `audiences` of `{destination.name}`",
        location=destination.location,
    )


def closed_audience(destination: Destination, name: str, why: Any) -> UsageError:  # noqa: ANN401 - a service's word
    """An audience that cannot be used any more."""
    return UsageError(
        "SEG937",
        f"`{destination.name}`: the audience `{name}` is closed there",
        why=None if why is None else str(why),
        hint="look at it in the service's own pages, or name another under `audiences`",
        location=destination.location,
    )
