"""Which hosts may be spoken to, and which addresses a name may lead to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def host_of(url: str) -> str:
    """Name of the host in small letters, empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_among(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is one of some, ``*.example.com`` standing for every host below."""
    return any(fnmatchcase(host, pattern.lower()) for pattern in patterns)


def is_private(address: str) -> bool:
    """Whether an IP address belongs to a machine or network of one's own, or to no machine at all."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None)
    return not (inner or found).is_global or (inner or found).is_multicast


class _Public:
    """Ends a connection to a private address before anything is sent over it.

    The address that was connected is looked at, not the name: a name may lead elsewhere a moment later.
    """

    def _new_conn(self) -> Any:  # noqa: ANN401 - a socket, as urllib3 types it
        sock = super()._new_conn()  # type: ignore[misc]  # the other parent has it
        if is_private(sock.getpeername()[0]):
            sock.close()
            raise PrivateAddressError(self, "leads to a private address")  # type: ignore[arg-type]  # it is a connection
        return sock


class PrivateAddressError(NewConnectionError):
    """A name leads into a network of one's own."""


class _PublicHTTP(_Public, HTTPConnection):
    pass


class _PublicHTTPS(_Public, HTTPSConnection):
    pass


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTP


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPS


class PublicAdapter(HTTPAdapter):
    """Connects public addresses alone; a proxy decides for itself what it connects."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        """Makes pools whose connections look where they lead."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}
