"""Trying a destination with one harmless call: what it shows is told, never raised."""

from __future__ import annotations

from collections.abc import Callable

from segctl.connectors.calls import BatchRefusedError, NotNowError, UnknownOutcomeError
from segctl.connectors.http import limits
from segctl.connectors.http.exchange import Answer
from segctl.connectors.http.outcomes import in_words
from segctl.connectors.sources.base import Probe
from segctl.model.errors import SegctlError
from segctl.model.secrets import masked

_NOTHING_SENT = frozenset({"SEG371", "SEG373", "SEG897", "SEG898"})
_REFUSED = "SEG900"


def tried(call: Callable[[], Answer]) -> tuple[Probe, ...]:
    """What a call shows: whether the service is there, takes the credentials, and how much it allows."""
    try:
        answer = call()
    except SegctlError as error:
        return _of_error(error)
    except NotNowError as error:
        return (Probe("reachable", "problem", masked(error.reason), "try again later"),)
    except (UnknownOutcomeError, BatchRefusedError) as error:
        return (Probe("reachable", "problem", masked(str(error))),)
    found = [Probe("reachable", "ok", f"answered {answer.status}"), Probe("credentials", "ok", "accepted")]
    left = _left(answer)
    return (*found, Probe("limits", "ok", left)) if left else tuple(found)


def _of_error(error: SegctlError) -> tuple[Probe, ...]:
    detail, hint = masked(in_words(error)), None if error.hint is None else masked(error.hint)
    if error.code == "SEG371":
        return (Probe("credentials", "problem", detail, hint),)
    if error.code in _NOTHING_SENT:
        return (Probe("reachable", "problem", detail, hint),)
    if error.code == _REFUSED:
        return (Probe("reachable", "ok", "answered"), Probe("credentials", "problem", detail, hint))
    return (Probe("reachable", "problem", detail, hint),)


def _left(answer: Answer) -> str | None:
    """How many more calls the headers allow, in words; None when they do not say."""
    for remaining, most in limits.COUNTS:
        if remaining in answer.headers:
            of = f" of {answer.headers[most].partition(',')[0]}" if most in answer.headers else ""
            return f"{answer.headers[remaining].partition(',')[0]}{of} calls left"
    return None
