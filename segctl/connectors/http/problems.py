"""The wording of everything that can go wrong with a service; no address is shown with its query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from segctl.connectors.files.paths import shortened
from segctl.model.errors import DataError, Refused, SegctlError, TemporaryError, UsageError
from segctl.model.secrets import masked

_SHOWN = 200
_WORDS = ("message", "detail", "title", "error_description", "error", "code", "reason", "errorCode")


def bare(url: str) -> str:
    """An address without query, fragment and user: these are where credentials stand."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return masked(f"{parts.scheme}://{host}{parts.path}")


def said(value: Any, clean: Callable[[str], str] = str) -> str | None:  # noqa: ANN401 - a JSON value
    """What an error's body says, in its own words, shortened and masked; None when it says nothing.

    Args:
        value: The body.
        clean: Takes out of the words what must not be shown, before they are shortened.
    """
    found = list(dict.fromkeys(_said(value, 0)))[:3]
    return shortened(clean(masked("; ".join(found))), _SHOWN) if found else None


def _said(value: Any, depth: int) -> list[str]:  # noqa: ANN401 - a JSON value
    if depth > 4:
        return []
    if isinstance(value, list):
        return [text for item in value[:3] for text in _said(item, depth + 1)]
    if isinstance(value, dict):
        return [
            text
            for word in _WORDS
            if word in value
            for text in ([value[word]] if isinstance(value[word], str) else _said(value[word], depth + 1))
        ] or [text for word in ("errors",) if word in value for text in _said(value[word], depth + 1)]
    return [" ".join(value.split())] if isinstance(value, str) and value.strip() and depth else []


def unreachable(source: str, url: str, why: str) -> TemporaryError:
    """No answer came."""
    hint = "check the address and the network; proxies are taken from HTTPS_PROXY; then try again"
    return TemporaryError("SEG372", f"`{source}`: no answer from {bare(url)}", why=why, hint=hint)


def untrusted(source: str, url: str) -> Refused:
    """The certificate cannot be verified."""
    hint = "if the service has an authority of its own, name its certificate: `ca_bundle: FILE`"
    return Refused(
        "SEG373", f"`{source}`: the certificate of {bare(url)} cannot be verified; nothing was sent", hint=hint
    )


def private_address(source: str, url: str) -> Refused:
    """A name that leads into a network of one's own, where it was not allowed to."""
    return Refused(
        "SEG898",
        f"`{source}`: {bare(url)} leads to a private address; nothing was sent",
        hint="if the service is your own, write `allow_private: true`",
    )


def forbidden(source: str, url: str, status: int, why: str | None) -> UsageError:
    """401 or 403."""
    hint = "look at the key, its rights and its age; `segctl doctor --online` tries it alone"
    return UsageError("SEG374", f"`{source}`: {bare(url)} refuses the credentials ({status})", why=why, hint=hint)


def refused(source: str, url: str, status: int, why: str | None) -> UsageError:
    """The service does not take the request as it is."""
    hint = "correct path, parameters or headers under `rest:`; the same request would be refused again"
    return UsageError("SEG375", f"`{source}`: {bare(url)} answered {status}", why=why, hint=hint)


def failing(source: str, url: str, status: int, tries: int, why: str | None) -> TemporaryError:
    """The service fails, and went on failing."""
    times = "once" if tries == 1 else f"{tries} times"
    hint = "try again later"
    return TemporaryError("SEG376", f"`{source}`: {bare(url)} answered {status}, {times}", why=why, hint=hint)


def too_often(source: str, wait_s: float | None, *, longest_s: float) -> TemporaryError:
    """The service wants a longer pause than is waited for."""
    if wait_s is None:
        return TemporaryError(
            "SEG377", f"`{source}`: the service's limit for today is used up", hint="try again tomorrow"
        )
    return TemporaryError(
        "SEG377",
        f"`{source}`: the service asks for a pause of {wait_s:,.0f} s",
        why=f"longer waits than {longest_s:,.0f} s are not waited for",
        hint="try again then, or raise `limits: {longest_wait: …}`",
    )


def other_host(source: str, what: str, url: str) -> Refused:
    """A redirect or next page leads to where the credentials do not belong."""
    hint = "if the service has moved, correct `base_url`"
    return Refused("SEG378", f"`{source}`: {what} leads to another host, {bare(url)}; nothing was sent there",
                   hint=hint)  # fmt: skip


def unexpected(source: str, url: str, what: str, hint: str | None = None) -> DataError:
    """The answer is not what the declaration expects."""
    return DataError("SEG379", f"`{source}`: {bare(url)} answered with {what}", hint=hint or
                     "compare `records:` and `base_url:` with what the service documents")  # fmt: skip


def error_inside(source: str, url: str, why: str | None) -> DataError:
    """A success that holds an error."""
    hint = "the words above are the service's own"
    return DataError("SEG380", f"`{source}`: {bare(url)} answered with an error inside a success", why=why, hint=hint)


def broken(source: str, url: str, what: str) -> TemporaryError:
    """An answer that does not come to its end."""
    return TemporaryError("SEG381", f"`{source}`: the answer of {bare(url)} {what}", hint="try again later")


def too_large(source: str, url: str, most: int) -> DataError:
    """An answer without end, or nearly."""
    hint = "ask for fewer records a page (`pages: {size: …}`), or raise `limits: {page_mb: …}`"
    return DataError(
        "SEG381", f"`{source}`: the answer of {bare(url)} is larger than {most // 1024**2:,} MB", hint=hint
    )


def in_circles(source: str, why: str) -> DataError:
    """Pages that do not move on."""
    hint = "compare `pages:` with what the service documents: the parameter may have another name"
    return DataError("SEG382", f"`{source}`: the pages do not move on", why=why, hint=hint)


def with_words(error: SegctlError, why: str | None) -> SegctlError:
    """The error, with a reason when it has none."""
    error.why = error.why or why
    return error
