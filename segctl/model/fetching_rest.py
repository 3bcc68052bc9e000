"""A REST source as declared: where it is, who asks, how its pages follow one another, what is new in it."""

from __future__ import annotations

from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.secrets import Secret, Text

Method = Literal["GET", "POST"]
Where = Literal["query", "body"]
Style = Literal["none", "link", "next_url", "cursor", "page", "offset"]
CursorFormat = Literal["iso", "date", "epoch_s", "epoch_ms", "number", "text"]
TIMES: tuple[CursorFormat, ...] = ("iso", "date", "epoch_s", "epoch_ms")
"""Formats of cursors that are instants."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token in the header `Authorization`."""

    token: Text


@dataclass(frozen=True, slots=True)
class Basic:
    """User and password; some services want the key as one of the two."""

    user: Text
    password: Text


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in a header or a query parameter.

    Attributes:
        name: Of the header or parameter.
        prefix: Stands before the key in a header, such as ``Klaviyo-API-Key``, with its blank.
    """

    where: Literal["header", "query"]
    name: str
    value: Text
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth 2: a token for client id and secret (or a refresh token), renewed when it expires or is refused.

    Attributes:
        params: Further parameters of the token request, such as ``account_id``.
        style: How the client names itself: in the form's body, or by basic authentication.
    """

    token_url: str
    client_id: Text
    client_secret: Text
    refresh_token: Text | None = None
    scope: str | None = None
    params: tuple[tuple[str, Text], ...] = ()
    style: Literal["body", "basic"] = "body"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """OAuth 2 with an assertion that a machine's own key signs (RFC 7523), as Google's service accounts do.

    Attributes:
        key: The whole key file, JSON with ``client_email`` and ``private_key``.
        subject: Person whom the account stands for, where an organisation allows it.
    """

    key: Secret
    token_url: str
    scope: str
    subject: str | None = None


Auth = Bearer | Basic | ApiKey | ClientCredentials | ServiceAccount


@dataclass(frozen=True, slots=True)
class Pages:
    """How the next page is asked for.

    Attributes:
        style: `link` header, `next_url` in the body, `cursor`, `page` number, `offset`, or `none`.
        param: Parameter that carries the cursor, number or offset (in a body: a dotted path).
        path: Where the next cursor or URL stands in the answer.
        last: Field of a record: the cursor is its value in the last record of the page.
        more: Where the answer says whether more follows; without it a page without records is the end.
        size: Records asked for on a page.
        size_param: Parameter that says so.
        first: Number of the first page.
        total: Where the answer says how many records there are.
    """

    style: Style = "none"
    param: str = ""
    path: str = ""
    last: str = ""
    more: str = ""
    size: int | None = None
    size_param: str = ""
    first: int = 1
    total: str = ""
    where: Where = "query"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How a later fetch asks for what is new only.

    Attributes:
        field: Field of a record, a dotted path, whose greatest value is kept.
        param: Parameter that carries it.
        format: How it is written; instants are compared as instants.
        template: Text of the parameter, with ``{cursor}`` inside; the parameter is left as it is without a cursor.
        overlap_s: Instants are asked for so many seconds earlier: what came late or at the same second is not lost.
    """

    field: str
    param: str
    format: CursorFormat = "iso"
    template: str = "{cursor}"
    overlap_s: float = 60.0
    where: Where = "query"


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a service may be asked, and what it may do to us.

    Attributes:
        requests: So many requests in `per_s` seconds at most; None asks as fast as answers come.
        retries: Further tries of one request.
        backoff_s: First upper bound of the random wait between tries; it doubles up to `longest_backoff_s`.
        longest_wait_s: A wait that the service asks for is obeyed up to here; a longer one ends the fetch.
        connect_s: For a connection.
        read_s: Without a single byte.
        page_s: For a whole answer, however it dribbles.
        page_bytes: Of one answer, unpacked.
        pages: Pages of one fetch.
    """

    requests: int | None = None
    per_s: float = 1.0
    retries: int = 5
    backoff_s: float = 1.0
    longest_backoff_s: float = 60.0
    longest_wait_s: float = 300.0
    connect_s: float = 10.0
    read_s: float = 60.0
    page_s: float = 300.0
    page_bytes: int = 256 * 1024 * 1024
    pages: int = 100_000


@dataclass(frozen=True, slots=True)
class RestFetch:
    """One REST endpoint.

    Attributes:
        base_url: With scheme and host; credentials go to this host alone.
        path: Behind it.
        body: JSON text of a POST.
        repeatable: A POST that only reads may be tried again like a GET.
        records: Dotted path to the records in the answer; the answer itself without it.
        error: Dotted path; an answer with something there is an error, whatever its status.
        ca_bundle: File with the authorities that are trusted, relative to the project; verification is never off.
    """

    base_url: str
    path: str = ""
    method: Method = "GET"
    auth: Auth | None = None
    params: tuple[tuple[str, Text], ...] = ()
    headers: tuple[tuple[str, Text], ...] = ()
    body: str | None = None
    repeatable: bool = False
    records: str = ""
    error: str = ""
    pages: Pages = Pages()
    cursor: Cursor | None = None
    limits: Limits = Limits()
    ca_bundle: str | None = None

    @property
    def kind(self) -> str:
        """Name of the connector."""
        return "rest"

    @property
    def place(self) -> str:
        """Host, path, parameters and shape; speed and credentials may change without a new beginning."""
        plain = sorted((name, str(value)) for name, value in self.params)
        cursor = None if self.cursor is None else (self.cursor.field, self.cursor.param, self.cursor.template)
        parts = (self.base_url, self.path, self.method, plain, self.body, self.records, self.pages.style, cursor)
        return repr(parts)

    @property
    def is_incremental(self) -> bool:
        """With a cursor."""
        return self.cursor is not None
