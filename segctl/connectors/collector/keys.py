"""Write keys: only their digests are kept, and a request's key is looked up by its own."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import unquote

from segctl.connectors.collector.requests import Request

_LONGEST = 512
PATH = "/k/"
"""``/k/KEY/…`` carries a key for libraries that cannot be told one."""


@dataclass(frozen=True, slots=True)
class WriteKey:
    """A key as it is kept.

    Attributes:
        name: For people, counts and lines.
        source: The one it writes to.
        digest: `digest_of` the key.
    """

    name: str
    source: str
    digest: str


def digest_of(key: str) -> str:
    """SHA-256 in hexadecimal. Keys are long and random, so nobody finds one by trying."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def new_key() -> str:
    """A key of 192 random bits."""
    return f"wk_{secrets.token_urlsafe(24)}"


class KeyRing:
    """All keys that may write, by digest."""

    def __init__(self, keys: Iterable[WriteKey] = ()) -> None:
        self._keys = {key.digest: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, given: str | None) -> WriteKey | None:
        """The key that was given, None when there is no such."""
        if not given or len(given) > _LONGEST:
            return None
        digest = digest_of(given)
        found = self._keys.get(digest)
        return found if found is not None and hmac.compare_digest(found.digest, digest) else None


def given_key(request: Request) -> tuple[str | None, str]:
    """The key that a request names outside of its body, None without; and its path without the key."""
    path = request.path
    if path.startswith(PATH):
        key, slash, rest = path.removeprefix(PATH).partition("/")
        return unquote(key), slash + rest
    for name in ("x-write-key", "x-api-key"):
        if request.headers.get(name):
            return request.headers[name].strip(), path
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(value.strip()), path
    if scheme.lower() == "bearer":
        return value.strip(), path
    return None, path


def _basic(value: str) -> str | None:
    """The user's name, which is where tracking libraries put the key; the password where the name is empty."""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return user or password or None
