"""A connection to a mail server: made safe, logged in, its refusals put into words."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations.base import Around, NotNowError
from segctl.connectors.http.problems import untrusted
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    import smtplib

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def opened(destination: Destination, around: Around) -> smtplib.SMTP:
    """A server that takes mails.

    Raises:
        NotNowError: Nobody answers.
        SegctlError: The certificate, the login or the declaration is wrong.
    """
    import smtplib

    from segctl.connectors.http.outcomes import other_host

    name, host, tls = destination.name, str(destination.options["host"]), destination.options.get("tls", "starttls")
    if destination.allowed_hosts and host not in destination.allowed_hosts:
        raise other_host(name, host, destination.allowed_hosts)
    if tls == "off" and host not in _LOOPBACK:
        raise wrong(name, "without TLS people's data would travel in the clear", "write `tls: starttls`")
    try:
        return _opened(host, str(tls), destination.options, around)
    except ssl.SSLCertVerificationError:
        raise untrusted(name, f"smtp://{host}") from None
    except ssl.SSLError:
        raise NotNowError("the mail server speaks no TLS there") from None
    except smtplib.SMTPAuthenticationError as error:
        hint = f"look at user and password; `segctl doctor --online {name}` tries them alone"
        message = f"`{name}`: {host} refuses the login ({error.smtp_code})"
        raise UsageError("SEG900", message, hint=hint) from None
    except smtplib.SMTPNotSupportedError:
        raise wrong(name, f"{host} offers no STARTTLS or login", "`tls: tls` and port 465, perhaps") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotNowError(f"no mail server answers at {host}: {type(error).__name__}") from None


def _opened(host: str, tls: str, options: Any, around: Around) -> smtplib.SMTP:  # noqa: ANN401 - a mapping
    import smtplib

    from segctl.connectors.http.secrets import revealed

    bundle = options.get("ca_bundle")
    context = ssl.create_default_context(cafile=None if bundle is None else str(around.root / bundle))
    seconds, port = float(options.get("timeout_s", 60)), options.get("port")
    server: smtplib.SMTP
    if tls == "tls":
        server = smtplib.SMTP_SSL(host, port or 465, timeout=seconds, context=context)
    else:
        server = smtplib.SMTP(host, port or 587, timeout=seconds)
    try:
        server.ehlo_or_helo_if_needed()
        if tls == "starttls":
            server.starttls(context=context)
            server.ehlo()
        password = options.get("password")
        if options.get("user") and password is not None:
            server.login(options["user"], revealed(password, around.root))
    except BaseException:
        server.close()
        raise
    return server


def wrong(destination: str, what: str, hint: str) -> UsageError:
    """A declaration with which no mail can be sent."""
    return UsageError("SEG908", f"`{destination}`: {what}", hint=hint)
