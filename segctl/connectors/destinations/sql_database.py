"""A database that destinations write into: connected with a password from elsewhere, its failures put into words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations.base import Around, Batch, BatchRefusedError, NotNowError, UnknownOutcomeError
from segctl.connectors.destinations.sql_text import KEY, SEGMENT
from segctl.connectors.http.reasons import without_people
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.model.secrets import masked, remember

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

CONNECTIONS = 2
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NO_SUCH_KEY = "42P10"
_SILENT = logging.NullHandler()


class Database:
    """PostgreSQL or SQLite, as a destination's options name it."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        self._engine: Engine | None = None

    def close(self) -> None:
        """Lets go of connections."""
        if self._engine is not None:
            self._engine.dispose()

    @contextmanager
    def connection(self, batch: Batch | None = None) -> Iterator[Connection]:
        """A connection, whatever a driver raises put into words; nothing is kept that was not committed."""
        engine = self._connected()
        import sqlalchemy as sa

        try:
            with engine.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise self._problem(error, batch) from None
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise NotNowError(masked(str(error).partition("\n")[0])) from None

    def commit(self, connection: Connection) -> None:
        """Ends a transaction.

        Raises:
            UnknownOutcomeError: The connection broke, so nobody knows how it ended.
        """
        import sqlalchemy as sa

        try:
            connection.commit()
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            if getattr(error.orig, "sqlite_errorname", None) is not None:
                raise
            raise UnknownOutcomeError("the connection broke while the transaction was being committed") from None

    def _problem(self, error: Any, batch: Batch | None) -> Exception:  # noqa: ANN401 - of an optional package
        import sqlalchemy as sa

        from segctl.connectors.sources.database import is_refusal, said_by

        name = self.destination.name
        why = without_people(said_by(error.orig), () if batch is None else batch.rows)
        said = error.orig.args[0] if getattr(error.orig, "args", None) else None
        state = str(said.get("C", "")) if isinstance(said, dict) else str(getattr(error.orig, "sqlstate", "") or "")
        if is_refusal(error.orig):
            hint = "look at user, password and name of the database; `segctl doctor --online` tries it alone"
            return UsageError("SEG900", f"`{name}`: the database refuses who asks", why=why, hint=hint)
        if state == _NO_SUCH_KEY or "ON CONFLICT clause does not match" in why:
            keys = f"({SEGMENT}, {KEY})"
            hint = f"`CREATE UNIQUE INDEX ON {self.options.get('table')} {keys}`"
            return misfit(name, str(self.options.get("table")), f"has no unique key {keys}", hint)
        if isinstance(error, sa.exc.DataError | sa.exc.IntegrityError) or state[:2] in ("22", "23"):
            return BatchRefusedError(why, code=state or None)
        if state[:2] == "42" or (not state and _is_wrong_sql(why)):
            hint = "look at the table and at the rights of the user"
            return UsageError("SEG906", f"`{name}`: the database does not take it", why=why, hint=hint)
        return NotNowError(why)

    def _connected(self) -> Engine:
        if self._engine is None:
            url = self.url()
            import sqlalchemy as sa

            from segctl.connectors.http.secrets import revealed

            password = self.options.get("password")
            if password is not None:
                url = url.set(password=revealed(password, self.around.root))
                remember(str(url.password))
            logging.getLogger("sqlalchemy").addHandler(_SILENT)
            seconds = max(int(self.options.get("timeout_s", 10)), 1)
            options: dict[str, Any] = {"hide_parameters": True}
            if url.get_backend_name() == "sqlite":
                options["connect_args"] = {"timeout": seconds}
            else:
                is_plain = url.get_driver_name() == "pg8000"
                timeout = {"timeout" if is_plain else "connect_timeout": seconds}
                options |= {"pool_size": CONNECTIONS, "connect_args": timeout | self._tls(url, is_plain)}
            try:
                self._engine = sa.create_engine(url, **options)
            except (ModuleNotFoundError, sa.exc.NoSuchModuleError):
                raise _no_package(f"the driver for `{url.drivername}`") from None
        return self._engine

    def _tls(self, url: URL, is_pg8000: bool) -> dict[str, Any]:
        """Arguments that make the driver verify the server, unless it is this machine or the declaration says no."""
        import ssl

        if self.options.get("tls") == "off" or url.host in (None, *LOOPBACK):
            return {}
        ca_bundle = self.options.get("ca_bundle")
        file = None if ca_bundle is None else str(self.around.root / ca_bundle)
        if is_pg8000:
            return {"ssl_context": ssl.create_default_context(cafile=file)}
        return {"sslmode": "verify-full", "sslrootcert": file or "system"}

    def dialect(self) -> Any:  # noqa: ANN401 - SQLAlchemy's
        """How names are quoted there."""
        return self._kind()()

    def require(self) -> None:
        """Looks whether the packages are there, and asks nobody.

        Raises:
            UsageError: One is not installed, or the address is of a database that is not spoken.
        """
        kind = self._kind()
        try:
            kind.import_dbapi()
        except ImportError:
            raise _no_package(f"the driver for `{self.url().drivername}`") from None

    def _kind(self) -> Any:  # noqa: ANN401 - SQLAlchemy's
        url = self.url()
        import sqlalchemy as sa

        try:
            return url.get_dialect()
        except (ModuleNotFoundError, sa.exc.NoSuchModuleError):
            raise _no_package(f"the driver for `{url.drivername}`") from None

    def url(self) -> URL:
        """The address without the password.

        Raises:
            UsageError: It is none, or of a database that is not spoken.
        """
        try:
            import sqlalchemy as sa
        except ImportError:
            raise _no_package("SQLAlchemy") from None
        from segctl.connectors.sources.database import DRIVERS

        try:
            url = sa.make_url(str(self.options["url"]))
        except (sa.exc.ArgumentError, ValueError):
            raise self._no_address("it is no address of a database") from None
        url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
        backend = url.get_backend_name()
        if backend not in ("postgresql", "sqlite"):
            raise self._no_address(f"`{backend}` is not spoken here")
        if (
            backend == "postgresql"
            and self.destination.allowed_hosts
            and url.host not in self.destination.allowed_hosts
        ):
            from segctl.connectors.http.outcomes import other_host

            raise other_host(self.destination.name, str(url.host), self.destination.allowed_hosts)
        if backend == "sqlite" and url.database:
            path = self.around.root / Path(url.database).expanduser()
            return url.set(database=str(path))
        return url

    def _no_address(self, why: str) -> UsageError:
        hint = "write `postgresql://user@host/name` or `sqlite:///data/members.db`"
        return UsageError("SEG906", f"`{self.destination.name}`: `url` cannot be used", why=why, hint=hint)

    def shown(self, connection: Connection) -> str:
        """Which database it is, without who asks."""
        url = connection.engine.url
        if url.get_backend_name() == "sqlite":
            return f"SQLite file {url.database}"
        return f"{url.get_backend_name()} {url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def misfit(destination: str, table: str, what: str, hint: str) -> UsageError:
    """A table that members cannot be written into."""
    return UsageError("SEG906", f"`{destination}`: the table `{table}` {what}", hint=hint)


def _is_wrong_sql(why: str) -> bool:
    """What SQLite says of tables and columns that do not fit; it has no codes for it."""
    return any(words in why for words in ("no such", "has no column", "syntax error", "readonly database"))


def _no_package(what: str) -> UsageError:
    message = f"destinations of the kind `sql` need {what}"
    return UsageError("SEG907", message, hint="install it with `pip install 'segctl[sql]'`")
