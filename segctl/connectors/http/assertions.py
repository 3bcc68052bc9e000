"""Assertions that a key signs and that are exchanged for a token (RFC 7523), as Google's service accounts do."""

from __future__ import annotations

import base64
import json
from typing import Any

from segctl.model.errors import UsageError
from segctl.model.fetching_rest import ServiceAccount
from segctl.model.secrets import remember

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE_S = 3600


def assertion(source: str, account: ServiceAccount, key_file: str, *, at: int) -> str:
    """A signed assertion of who asks, valid for an hour.

    Args:
        source: Name of the source or destination, for messages.
        account: As declared.
        key_file: Text of the key file.
        at: Present time, unix seconds.

    Raises:
        UsageError: The text is no key file, or the package that signs is not installed.
    """
    found = _read(source, account, key_file)
    head = {"alg": "RS256", "typ": "JWT", "kid": found.get("private_key_id") or None}
    claims = {
        "iss": found["client_email"],
        "scope": account.scope,
        "aud": account.token_url,
        "iat": at,
        "exp": at + LIFE_S,
        "sub": account.subject,
    }
    told = b".".join(_encoded({k: v for k, v in part.items() if v is not None}) for part in (head, claims))
    return remember((told + b"." + _base64(_signature(source, found["private_key"], told))).decode())


def _read(source: str, account: ServiceAccount, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(
        isinstance(found.get(name), str) and found[name] for name in ("client_email", "private_key")
    ):
        raise UsageError(
            "SEG930",
            f"`{source}`: `{account.key}` is no key of a service account",
            why="it must be JSON with `client_email` and `private_key`",
            hint="create a key of the kind JSON for the service account and name its file",
        )
    remember(found["private_key"])
    return found


def _signature(source: str, key: str, told: bytes) -> bytes:
    try:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise UsageError(
            "SEG931",
            f"`{source}`: a service account's key cannot be used without the package `cryptography`",
            hint='install it with `pip install "segctl[google]"`, or use a refresh token',
        ) from None
    try:
        private = load_pem_private_key(key.encode(), password=None)
        if isinstance(private, RSAPrivateKey):
            return private.sign(told, PKCS1v15(), SHA256())
    except (ValueError, TypeError):
        pass
    raise UsageError(
        "SEG930",
        f"`{source}`: the private key of the service account cannot be read",
        hint="it must be an RSA key in PEM without a password; download the key anew",
    )


def _encoded(part: dict[str, Any]) -> bytes:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
