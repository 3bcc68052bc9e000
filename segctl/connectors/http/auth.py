"""Who asks: credentials put on a request at the moment it is sent, and tokens renewed."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from segctl.connectors.http import problems
from segctl.connectors.http.secrets import document, revealed
from segctl.model.fetching_rest import ApiKey, Auth, Basic, Bearer, ClientCredentials, ServiceAccount
from segctl.model.secrets import MASK, remember

MARGIN_S = 30.0
"""A token is renewed so long before its end."""
DEFAULT_LIFE_S = 600.0

Pairs = list[tuple[str, str]]


class AsksForToken(Protocol):
    """Sends a form to a token service and gives the body of its answer."""

    def __call__(self, url: str, form: Pairs, headers: Pairs) -> object:
        """The parsed JSON body of a successful answer."""
        ...


@dataclass(slots=True)
class Credentials:
    """The declared credentials of one source.

    Attributes:
        auth: As declared.
        root: The project's folder.
        source: Name of the source, for messages.
        ask: Asks a token service.
        clock: Seconds that only rise.
        wall: Unix time; only what is signed with it asks for it.
    """

    auth: Auth | None
    root: Path
    source: str
    ask: AsksForToken
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] | None = None
    _token: str | None = field(default=None, repr=False)
    _refresh: str | None = field(default=None, repr=False)
    _ends: float = 0.0

    def headers(self) -> Pairs:
        """Headers that name who asks."""
        auth = self.auth
        if isinstance(auth, Bearer):
            return [("Authorization", f"Bearer {revealed(auth.token, self.root)}")]
        if isinstance(auth, Basic):
            return [("Authorization", basic(revealed(auth.user, self.root), revealed(auth.password, self.root)))]
        if isinstance(auth, ApiKey) and auth.where == "header":
            return [(auth.name, f"{auth.prefix}{revealed(auth.value, self.root)}")]
        if isinstance(auth, ClientCredentials | ServiceAccount):
            return [("Authorization", f"Bearer {self._valid_token(auth)}")]
        return []

    def params(self) -> Pairs:
        """Query parameters that name who asks."""
        auth = self.auth
        if isinstance(auth, ApiKey) and auth.where == "query":
            return [(auth.name, revealed(auth.value, self.root))]
        return []

    @property
    def param_names(self) -> frozenset[str]:
        """Names of query parameters that hold credentials: no address that is kept may carry them."""
        auth = self.auth
        return frozenset({auth.name}) if isinstance(auth, ApiKey) and auth.where == "query" else frozenset()

    @property
    def expires(self) -> bool:
        """Whether a token must be asked for before the next request."""
        is_token = isinstance(self.auth, ClientCredentials | ServiceAccount)
        return is_token and (self._token is None or self.clock() >= self._ends)

    def renew(self) -> bool:
        """Forgets a token that was refused; false when there is nothing that could be renewed."""
        had, self._token = self._token is not None, None
        return had

    def _valid_token(self, auth: ClientCredentials | ServiceAccount) -> str:
        if self._token is None or self.expires:
            fresh = self._fresh_token(auth) if isinstance(auth, ClientCredentials) else self._signed_token(auth)
            self._token, life_s = fresh
            self._ends = self.clock() + max(0.0, life_s - min(MARGIN_S, life_s / 2))
        return self._token

    def _fresh_token(self, auth: ClientCredentials) -> tuple[str, float]:
        client, secret = revealed(auth.client_id, self.root), revealed(auth.client_secret, self.root)
        form: Pairs = [("grant_type", "client_credentials")]
        if auth.refresh_token is not None:
            refresh = self._refresh or revealed(auth.refresh_token, self.root)
            form = [("grant_type", "refresh_token"), ("refresh_token", refresh)]
        if auth.scope:
            form.append(("scope", auth.scope))
        form += [(name, revealed(value, self.root)) for name, value in auth.params]
        headers: Pairs = []
        if auth.style == "basic":
            headers.append(("Authorization", basic(client, secret)))
        else:
            form += [("client_id", client), ("client_secret", secret)]
        return self._taken(self.ask(auth.token_url, form, headers), auth.token_url)

    def _signed_token(self, auth: ServiceAccount) -> tuple[str, float]:
        from segctl.connectors.http.assertions import GRANT, assertion

        assert self.wall is not None
        signed = assertion(self.source, auth, document(auth.key, self.root), at=int(self.wall()))
        return self._taken(self.ask(auth.token_url, [("grant_type", GRANT), ("assertion", signed)], []), auth.token_url)

    def _taken(self, body: object, url: str) -> tuple[str, float]:
        """Token and life in seconds of a token service's answer; every text in it is masked from now on."""
        if not isinstance(body, dict) or not isinstance(body.get("access_token"), str) or not body["access_token"]:
            raise problems.unexpected(
                self.source, url, "no `access_token`", "check `token_url` and the client's rights"
            )
        for name in ("access_token", "refresh_token", "id_token"):
            if isinstance(body.get(name), str):
                remember(body[name])
        if isinstance(body.get("refresh_token"), str):
            self._refresh = body["refresh_token"]
        try:
            life_s = float(body.get("expires_in", DEFAULT_LIFE_S))
        except (TypeError, ValueError):
            life_s = DEFAULT_LIFE_S
        return body["access_token"], life_s


def shown(auth: Auth | None) -> tuple[Pairs, Pairs]:
    """Headers and query parameters of credentials with the secrets masked; none is read."""
    if isinstance(auth, Bearer | ClientCredentials | ServiceAccount):
        return [("Authorization", f"Bearer {MASK}")], []
    if isinstance(auth, Basic):
        return [("Authorization", f"Basic {MASK}")], []
    if isinstance(auth, ApiKey):
        pair = [(auth.name, f"{auth.prefix}{MASK}")]
        return (pair, []) if auth.where == "header" else ([], pair)
    return [], []


def basic(user: str, password: str) -> str:
    """The header of basic authentication, masked from now on."""
    return f"Basic {remember(base64.b64encode(f'{user}:{password}'.encode()).decode())}"
