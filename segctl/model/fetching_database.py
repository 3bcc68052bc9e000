"""The declaration of a source in a database: a table or a query, read in batches."""

from __future__ import annotations

from segctl.model.dataclass import dataclass
from segctl.model.secrets import Secret, Text

BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class DatabaseFetch:
    """Rows of one table or query.

    Attributes:
        url: As SQLAlchemy writes it: ``postgresql://user@host/name``, ``sqlite:///data/pos.db`` (relative to the
            project); one with a password is a secret.
        password: Taken into `url`; None when it stands there, or none is needed.
        table: Table or view, with its schema before a point; empty for a query.
        query: A SELECT; empty for a table.
        cursor: Column that only grows, by which a later fetch asks for what is new; None reads all.
        overlap_s: Instants are asked for so many seconds earlier, for rows of transactions that ended late.
        batch: Rows a page.
        timeout_s: Longest wait for a connection.
    """

    url: Text
    password: Secret | None = None
    table: str = ""
    query: str = ""
    cursor: str | None = None
    overlap_s: float = 60.0
    batch: int = BATCH_ROWS
    timeout_s: float = 30.0

    @property
    def kind(self) -> str:
        """`database`."""
        return "database"

    @property
    def place(self) -> str:
        """Where the rows stand and by what they grow; another user or password asks for the same."""
        return f"{self.url} {self.table} {self.query} {self.cursor}"

    @property
    def is_incremental(self) -> bool:
        """With a cursor."""
        return self.cursor is not None
