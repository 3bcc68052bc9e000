"""An account of Salesforce Marketing Cloud: its client, and people as columns, of a data extension or a contact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import Around, Row
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.mailing import Json
from segctl.connectors.destinations.values import plain
from segctl.connectors.destinations.ways_in import in_form
from segctl.model.destinations import Destination

if TYPE_CHECKING:
    from segctl.connectors.http.client import Client

COLUMNS = {"external_id": "SubscriberKey", "email": "EmailAddress", "phone": "MobileNumber"}
_SUBDOMAIN = re.compile(r"[A-Za-z0-9-]+")


def open_client(destination: Destination, around: Around) -> Client:
    """A client of the account."""
    from segctl.model.fetching_rest import ClientCredentials

    options = destination.options
    subdomain = in_form(destination, "subdomain", _SUBDOMAIN, "letters, digits and dashes")
    hosts = (f"{subdomain}.rest.marketingcloudapis.com", f"{subdomain}.auth.marketingcloudapis.com")
    auth_url = str(options.get("auth_url") or f"https://{hosts[1]}").rstrip("/")
    account = options.get("account_id")
    auth = ClientCredentials(
        f"{auth_url}/v2/token",
        options["client_id"],
        options["client_secret"],
        params=(("account_id", str(account)),) if account else (),
    )
    is_own = not options.get("base_url") and not options.get("auth_url")
    base_url = options.get("base_url") or f"https://{hosts[0]}"
    return client(destination, around, base_url, auth=auth, own=hosts if is_own else ())


def columns_of(destination: Destination) -> dict[str, str]:
    """Identifier → column."""
    return {str(kind): str(name) for kind, name in (destination.options.get("columns") or COLUMNS).items()}


def item(row: Row, columns: Mapping[str, str], **more: Json) -> dict[str, Json]:
    """A row as its columns: flat, keys and values together."""
    found = {name: row.identifiers[kind] for kind, name in columns.items() if row.identifiers.get(kind)}
    return {**{name: plain(value) for name, value in row.fields.items()}, **found, **more}
