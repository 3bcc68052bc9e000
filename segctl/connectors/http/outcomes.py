"""What an answer, or none, means for a push: taken, refused, not now, unknown, or nothing more can be sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.connectors.calls import BatchRefusedError, NotNowError, UnknownOutcomeError
from segctl.connectors.http import limits, problems
from segctl.model.errors import Refused, SegctlError, UsageError

if TYPE_CHECKING:
    from segctl.connectors.http.exchange import Answer, Failure

REFUSES_CONTENT = frozenset({400, 409, 422})
"""Answers about what is in a call; half of it may be taken."""
NOT_TAKEN = frozenset({408, 425, 429, 503})
"""Answers that say that nothing was done."""
_CODES = ("code", "errorCode", "errorcode", "subCategory", "category", "error")


def of_failure(failure: Failure, *, reads: bool) -> Exception:
    """What to raise when no answer came."""
    error = failure.error
    if failure.unsent:
        return NotNowError(in_words(error)) if failure.again else error
    if reads:
        return NotNowError(in_words(error)) if failure.again else error
    return UnknownOutcomeError(in_words(error))


def of_answer(destination: str, answer: Answer, *, now: datetime, clean: Callable[[str], str]) -> Exception | None:
    """What to raise for an answer; None for a success.

    Args:
        destination: Its name.
        answer: What came.
        now: Present time, aware.
        clean: Takes people out of a service's words.
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    if status in (301, 302, 303, 307, 308):
        return redirected(destination, answer)
    why = problems.said(answer.value, clean)
    reason = f"answered {status}" + (f": {why}" if why else "")
    if status in (401, 403):
        return forbidden(destination, answer.url, status, why)
    if status in NOT_TAKEN:
        wait_s = limits.retry_after_s(answer.headers, now)
        is_daily = status == 429 and limits.is_daily(answer.headers, answer.value)
        wait_s = wait_s or limits.pause_s(answer.headers, now) or None
        return NotNowError(reason, wait_s=wait_s, is_daily=is_daily, is_answer=status != 429)
    if status >= 500:
        return UnknownOutcomeError(reason)
    if status == 413:
        return BatchRefusedError(reason, code="413", is_size=True)
    if status in REFUSES_CONTENT:
        return BatchRefusedError(reason, code=code_of(answer.value) or str(status))
    return refused(destination, answer.url, status, why)


def code_of(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """The service's own code in the body of an error, for counting."""
    if isinstance(value, dict):
        for name in _CODES:
            found = value.get(name)
            if isinstance(found, str | int) and not isinstance(found, bool) and len(str(found)) <= 80:
                return str(found)
        inner = value.get("errors")
        return code_of(inner) or code_of(value.get("error"))
    return code_of(value[0]) if isinstance(value, list) and value else None


def in_words(error: SegctlError) -> str:
    """Message and reason of an error as one text."""
    return error.message if error.why is None else f"{error.message}: {error.why}"


def redirected(destination: str, answer: Answer) -> Refused:
    """A redirect, which would take credentials and people's data elsewhere."""
    target = answer.headers.get("location", "")
    return Refused(
        "SEG899",
        f"`{destination}`: {problems.bare(answer.url)} redirects" + (f" to {problems.bare(target)}" if target else ""),
        why="a redirect could carry credentials and people's data to somebody else, so none is followed",
        hint="if the service has moved, correct the address in the declaration",
    )


def forbidden(destination: str, url: str, status: int, why: str | None) -> UsageError:
    """401 or 403."""
    hint = f"look at the key, its rights and its age; `segctl doctor --online {destination}` tries it alone"
    message = f"`{destination}`: {problems.bare(url)} refuses the credentials ({status})"
    return UsageError("SEG900", message, why=why, hint=hint)


def refused(destination: str, url: str, status: int, why: str | None) -> UsageError:
    """An answer that no other rows would change."""
    hint = f"what is asked for is not there or not allowed; compare the options of `{destination}` with the service"
    return UsageError("SEG901", f"`{destination}`: {problems.bare(url)} answered {status}", why=why, hint=hint)


def other_host(destination: str, host: str, allowed: tuple[str, ...]) -> Refused:
    """An address outside the hosts that may be spoken to."""
    hint = f"if it is meant, write `allowed_hosts: [{host}]` in the declaration"
    return Refused("SEG897", f"`{destination}`: `{host}` is none of its hosts; nothing was sent",
                   why=f"allowed: {', '.join(allowed) or 'none'}", hint=hint)  # fmt: skip


def in_the_clear(destination: str, host: str) -> Refused:
    """An address without TLS."""
    return Refused("SEG898", f"`{destination}`: `http://{host}` would send people's data in the clear",
                   hint="write `https://`; plain HTTP is for this machine alone")  # fmt: skip
