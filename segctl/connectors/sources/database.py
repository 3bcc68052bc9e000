"""Rows of any database that SQLAlchemy reads, streamed in batches."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segctl.compile.timewords import Problem, parse_as_of
from segctl.connectors.files.paths import shortened
from segctl.connectors.http.secrets import revealed
from segctl.connectors.sources.base import Around, Json, Page, PositionLostError, Probe, Start, Trial, ndjson
from segctl.connectors.sources.database_values import as_json, earlier, greater, kept, not_after, restored
from segctl.model.errors import DataError, SegctlError, TemporaryError, UsageError
from segctl.model.fetching_database import DatabaseFetch
from segctl.model.secrets import masked, remember

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine, Select

_SHOWN = 300
DRIVERS = {"postgres": "postgresql+pg8000", "postgresql": "postgresql+pg8000"}
"""Dialects without a driver → with the one that the extra `sql` installs."""
_SILENT = logging.NullHandler()
_A_COLON = re.compile(r"(?<!:):(?!:)")


class DatabaseConnector:
    """A table or query; rows come in the order of the cursor, so an interrupted fetch goes on where it stood."""

    def __init__(self, fetch: DatabaseFetch, around: Around) -> None:
        self.fetch = fetch
        self.around = around

    def pages(self, start: Start) -> Iterator[Page]:
        """The rows from `start` on, a batch a page.

        Raises:
            PositionLostError: Without a cursor a fetch that broke off begins again: rows have no order.
            SegctlError: The database cannot be reached or does not take the query.
        """
        if start.position is not None and self.fetch.cursor is None:
            raise PositionLostError
        with self._connected() as connection:
            yield from self._pages(connection, start)

    def check(self, limit: int) -> Trial:
        """Connects and reads some rows."""
        try:
            with self._connected() as connection:
                page = next(self._pages(connection, Start(limit=limit)), Page(b"", 0))
                where = self._shown(connection)
        except SegctlError as error:
            detail = error.message if error.why is None else f"{error.message}: {error.why}"
            return Trial((Probe("reachable", "problem", detail, error.hint),))
        records: tuple[Mapping[str, Json], ...] = tuple(map(json.loads, page.lines.splitlines()[:limit]))
        probes = [Probe("reachable", "ok", masked(where))]
        if records:
            probes.append(Probe("shape", "ok", f"columns: {', '.join(records[0])}"))
        else:
            probes.append(Probe("shape", "note", "no rows", "perhaps there are none"))
        return Trial((*probes, *self._cursor_probe(page)), records)

    def _shown(self, connection: Connection) -> str:
        url = connection.engine.url
        if url.get_backend_name() == "sqlite":
            path = (url.database or "").removeprefix("file://")
            return f"SQLite file {path}"
        return f"{url.get_backend_name()} {url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"

    def _cursor_probe(self, page: Page) -> Iterator[Probe]:
        if self.fetch.cursor is None:
            yield Probe("cursor", "note", "none is declared, so every ingest reads all rows")
        elif page.count and page.cursor is None:
            hint = "name a column that is filled whenever a row changes"
            yield Probe("cursor", "problem", f"`{self.fetch.cursor}` is empty in the first rows", hint)
        elif page.count:
            yield Probe("cursor", "ok", f"{self.fetch.cursor}: {page.cursor[1]}")

    def _pages(self, connection: Connection, start: Start) -> Iterator[Page]:
        query, parameters = self._query(connection, start)
        size = self.fetch.batch if start.limit is None else min(self.fetch.batch, start.limit)
        cursor = restored(start.cursor) if start.cursor is not None else None
        place = start.position
        with self._asking(), closing(connection.execute(query, parameters)) as found:
            names = list(found.keys())
            at = self._column_of(names)
            following: list[Any] = []
            for rows in found.partitions(size):
                if following:
                    yield self._page(following, names, place, cursor)
                following = list(rows)
                if at is not None:
                    filled = [row[at] for row in following if row[at] is not None]
                    if filled:
                        cursor = greater(cursor, not_after(filled[-1], self.around.now))
                        place = kept(filled[-1])
            yield self._page(following, names, None, cursor)

    def _page(self, rows: list[Any], names: list[str], place: Json, cursor: Any) -> Page:  # noqa: ANN401 - of any type
        lines = ndjson(dict(zip(names, map(as_json, row), strict=True)) for row in rows)
        return Page(lines, len(rows), place, None if cursor is None else kept(cursor), columns=tuple(names))

    def _column_of(self, names: list[str]) -> int | None:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            hint = "give one of them another name: `SELECT a.id AS order_id, …`"
            raise UsageError("SEG387", f"`{self.around.source}`: two columns are called `{twice[0]}`", hint=hint)
        if self.fetch.cursor is None:
            return None
        if self.fetch.cursor not in names:
            listed = ", ".join(f"`{name}`" for name in names[:12])
            message = f"`{self.around.source}`: there is no column `{self.fetch.cursor}` for `cursor`"
            raise UsageError("SEG387", message, hint=f"it has {listed}")
        return names.index(self.fetch.cursor)

    def _query(self, connection: Connection, start: Start) -> tuple[Select[Any], dict[str, Any]]:
        import sqlalchemy as sa

        query: Select[Any] = sa.select(sa.literal_column("*")).select_from(self._from())
        if self.fetch.cursor is None:
            return query, {}
        column: Any = sa.column(self.fetch.cursor)
        begin = self._begin(connection, start)
        # An index on the column serves both; rows without a value are few, and would else never come.
        if begin is not None:
            query = query.where(sa.or_(column >= sa.bindparam("begin"), column.is_(None)))
        return query.order_by(column), {} if begin is None else {"begin": begin}

    def _from(self) -> Any:  # noqa: ANN401 - anything that stands after FROM
        import sqlalchemy as sa

        if self.fetch.query:
            # A colon would begin a parameter.
            return sa.text(f"({_A_COLON.sub(chr(92) + ':', self.fetch.query)}) AS source")
        schema, _, name = self.fetch.table.rpartition(".")
        return sa.table(name, schema=schema or None)

    def _begin(self, connection: Connection, start: Start) -> Any:  # noqa: ANN401 - a value of the column's type
        if start.position is not None:
            return restored(start.position)
        if start.since is not None:
            return self._since(connection, start.since)
        return None if start.cursor is None else earlier(restored(start.cursor), self.fetch.overlap_s)

    def _since(self, connection: Connection, text: str) -> Any:  # noqa: ANN401 - a value of the column's type
        """The user's word in the type of the column."""
        import sqlalchemy as sa

        column: Any = sa.column(self.fetch.cursor or "")
        some = sa.select(column).select_from(self._from()).where(column.is_not(None)).limit(1)
        with self._asking():
            value = connection.execute(some).scalar()
        if isinstance(value, date):
            found = self._instant(text)
            if not isinstance(value, datetime):
                return found.date()
            return found if value.tzinfo is not None else found.replace(tzinfo=None)
        if isinstance(value, int) and not text.lstrip("-").isdigit():
            message = f"`--since {text}`: `{self.fetch.cursor}` holds whole numbers"
            raise UsageError("SEG384", message, hint="give the number to begin with")
        return int(text) if isinstance(value, int) else text

    def _instant(self, text: str) -> datetime:
        """A day's beginning, an instant or a time word, in the project's zone."""
        zone = self.around.zone
        try:
            return datetime.combine(date.fromisoformat(text), time(), ZoneInfo(zone))
        except ValueError:
            found = parse_as_of(text, self.around.now, zone)
        if isinstance(found, Problem):
            raise UsageError("SEG384", f"`--since {text}`: {found.message}", hint=found.hint) from None
        return found.astimezone(ZoneInfo(zone))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = self._engine()
        try:
            with self._asking(is_first=True):
                connection = engine.connect()
            with connection:
                yield connection.execution_options(stream_results=True)
                connection.rollback()
        finally:
            engine.dispose()

    def _engine(self) -> Engine:
        try:
            import sqlalchemy as sa
        except ImportError as error:
            raise UsageError(
                "SEG386",
                "sources of kind `database` need SQLAlchemy",
                hint="install it with `pip install 'segctl[sql]'`",
            ) from error
        url = self._url()
        # What a query breaks is told once, by its error; SQLAlchemy would also log the cursor it cannot close.
        logging.getLogger("sqlalchemy").addHandler(_SILENT)
        try:
            return sa.create_engine(url, **self._options(url))
        except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
            raise UsageError(
                "SEG386",
                f"`{self.around.source}`: the driver for `{url.drivername}` is not installed",
                hint="`pip install 'segctl[sql]'` brings PostgreSQL's; others by their own packages",
            ) from error

    def _url(self) -> URL:
        import sqlalchemy as sa

        try:
            url = sa.make_url(revealed(self.fetch.url, self.around.root))
        except (sa.exc.ArgumentError, ValueError):
            hint = "write it as `postgresql://user:password@host/name`"
            message = f"`{self.around.source}`: `{self.fetch.url}` is no address of a database"
            raise UsageError("SEG386", message, hint=hint) from None
        if self.fetch.password is not None:
            url = url.set(password=revealed(self.fetch.password, self.around.root))
        if url.password:
            remember(str(url.password))
        url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
        return self._file_url(url) if url.get_backend_name() == "sqlite" else url

    def _file_url(self, url: URL) -> URL:
        """SQLite: a file that is there, opened for reading only."""
        path = self.around.root / Path(url.database or "").expanduser()
        if not url.database or not path.is_file():
            message = f"`{self.around.source}`: there is no database file `{url.database or ''}`"
            raise UsageError("SEG386", message, hint="the path is relative to the project: `sqlite:///data/pos.db`")
        return url.set(database=path.resolve().as_uri(), query={"mode": "ro", "uri": "true"})

    def _options(self, url: URL) -> dict[str, Any]:
        names = {"postgresql": {"pg8000": "timeout", "psycopg": "connect_timeout", "psycopg2": "connect_timeout"}}
        option = names.get(url.get_backend_name(), {}).get(url.get_driver_name())
        seconds = max(int(self.fetch.timeout_s), 1)
        options: dict[str, Any] = {"pool_size": 1, "hide_parameters": True}
        if url.get_backend_name() == "sqlite":
            options.pop("pool_size")
        return options | ({} if option is None else {"connect_args": {option: seconds}})

    @contextmanager
    def _asking(self, *, is_first: bool = False) -> Iterator[None]:
        """Whatever a driver raises, in the project's words; never with the address or the values in it."""
        import sqlalchemy as sa

        source = self.around.source
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise _problem(source, error, is_first=is_first) from None
        except (sa.exc.SQLAlchemyError, OSError, UnicodeError, ValueError, OverflowError) as error:
            why = masked(shortened(str(error).partition("\n")[0], _SHOWN))
            make: Callable[..., SegctlError] = TemporaryError if isinstance(error, OSError) else DataError
            raise make("SEG386" if is_first else "SEG387", f"`{source}`: the database fails", why=why) from None
        except ImportError as error:
            raise UsageError("SEG386", f"`{source}`: the driver cannot be loaded: {error}") from None


def _problem(source: str, error: Any, *, is_first: bool) -> SegctlError:  # noqa: ANN401 - of an optional package
    import sqlalchemy as sa

    why = said_by(error.orig)
    if is_refusal(error.orig):
        hint = "look at user, password and name of the database; `segctl doctor --online` tries it alone"
        return UsageError("SEG386", f"`{source}`: the database refuses who asks", why=why, hint=hint)
    if is_first or error.connection_invalidated:
        hint = "check address, user, password and network; `segctl doctor --online` tries it alone"
        return TemporaryError("SEG386", f"`{source}`: the database cannot be reached", why=why, hint=hint)
    # SQLite says so of a table that is not there, too.
    is_refused = getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR"
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) and not (
        is_refused or isinstance(error, sa.exc.ProgrammingError)
    ):
        hint = (
            "look at `table`, `query` and `cursor`; if the database is busy, ingest again: batches that came are kept"
        )
        return TemporaryError("SEG387", f"`{source}`: the database broke off", why=why, hint=hint)
    hint = "look at `table`, `query` and `cursor`, and at the rights of the user"
    return UsageError("SEG387", f"`{source}`: the database does not take the query", why=why, hint=hint)


def is_refusal(error: Any) -> bool:  # noqa: ANN401 - a driver's own exception
    """Whether the server let nobody in: SQLSTATE class 28 (who asks) or 3D (no such database)."""
    said = error.args[0] if getattr(error, "args", None) else None
    state = said.get("C") if isinstance(said, dict) else getattr(error, "sqlstate", None)
    return isinstance(state, str) and state[:2] in ("28", "3D")


def said_by(error: Any) -> str:  # noqa: ANN401 - a driver's own exception
    """A driver's words; pg8000 gives the server's fields as a mapping."""
    said = error.args[0] if getattr(error, "args", None) else error
    text = "; ".join(said[k] for k in "MH" if k in said) if isinstance(said, dict) else str(said)
    return masked(shortened(" ".join(text.split()), _SHOWN))
