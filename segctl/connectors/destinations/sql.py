"""SQL: a table of one's own in PostgreSQL or SQLite, one row per segment and member; each batch is one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    Member,
    NotNowError,
    Recorded,
    Remote,
    Row,
    Sent,
)
from segctl.connectors.destinations.clients import CA_BUNDLE
from segctl.connectors.destinations.sql_database import CONNECTIONS, Database, misfit
from segctl.connectors.destinations.sql_text import (
    ENTERED,
    IS_MEMBER,
    KEY,
    KINDS,
    LEFT,
    PUSH,
    SEGMENT,
    UPDATED,
    Layout,
    bound,
    kind_of,
    type_of,
)
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.errors import SegctlError
from segctl.model.secrets import masked

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_ROWS = 10_000
RESERVED = frozenset({SEGMENT, KEY, ENTERED, UPDATED, PUSH, IS_MEMBER, LEFT})
ABILITIES = Abilities(
    identifiers=("email", "phone", "external_id"),
    channel="email",
    batch_rows=MOST_ROWS,
    recipient="warehouse",
    parallel=CONNECTIONS,
    reads_back=True,
)
OPTIONS = (
    Option("url", "text", "`postgresql://user@host/name` or `sqlite:///file.db`; the password stands apart",
           required=True),
    Option("password", "secret", "of the database's user"),
    Option("table", "text", "table with the members, `schema.name` too; `{audience}` in it gives each its own",
           default="segment_members"),
    Option("removal", "choice", "rows of those who leave are deleted, or stay with `is_member` false",
           default="delete", choices=("delete", "flag")),
    Option("create", "boolean", "make the table where it is not there", default=True),
    Option("types", "mapping", f"types of columns that cannot be seen from values: {', '.join(KINDS)}"),
    Option("tls", "choice", "whether the server's certificate must be right; this machine needs none",
           default="verify", choices=("verify", "off")),
    CA_BUNDLE,
    Option("timeout_s", "integer", "seconds to wait for a connection", default=10),
)  # fmt: skip


def abilities(destination: Destination) -> Abilities:
    """Every identifier that the declaration names is a column; SQLite takes one writer at a time."""
    names = tuple(name for name, _ in destination.identify)
    is_file = str(destination.options.get("url", "")).startswith("sqlite")
    removal = "flag" if destination.options.get("removal") == "flag" else "leave"
    return replace(
        ABILITIES,
        identifiers=names or ABILITIES.identifiers,
        parallel=1 if is_file else ABILITIES.parallel,
        removal="flag" if removal == "flag" else "leave",
    )


def connect(destination: Destination, around: Around) -> Table:
    """Its connector."""
    return Table(destination, around)


class Table:
    """One table, or one for each audience."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        self.flags = self.options.get("removal") == "flag"
        self.database = Database(destination, around)
        self._layouts: dict[str, Layout] = {}

    def check(self) -> tuple[Probe, ...]:
        """Connects, and looks at the table."""
        try:
            with self.database.connection() as connection:
                found = self._there(connection, self._table_name(""))
                where = self.database.shown(connection)
        except SegctlError as error:
            detail = error.message if error.why is None else f"{error.message}: {error.why}"
            return (Probe("reachable", "problem", detail, error.hint),)
        except NotNowError as error:
            return (Probe("reachable", "problem", error.reason, "check address and network"),)
        reachable = Probe("reachable", "ok", masked(where))
        if "{audience}" in str(self.options.get("table")):
            return (reachable, Probe("table", "ok", "each audience has one of its own"))
        if found:
            return (reachable, Probe("table", "ok", f"`{self._table_name('')}` has {len(found)} columns"))
        if self.options.get("create", True):
            return (reachable, Probe("table", "ok", f"`{self._table_name('')}` is made with the first push"))
        hint = "make it, or let segctl make it with `create: true`"
        return (reachable, Probe("table", "problem", f"there is no table `{self._table_name('')}`", hint))

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - what every connector is asked
        """The name itself, which stands in the column `segment`.

        Raises:
            UsageError: A package is not installed: told before anything is written down as on its way.
        """
        self.database.require()
        return name

    def send(self, batch: Batch) -> Sent:
        """One transaction."""
        rows = {row.key: row for row in batch.rows}
        if self.around.record is not None:
            layout = self._new_layout(batch)
            records = self._parameters(layout, batch, rows.values())
            shown = records if isinstance(records, list) else [records]
            lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in shown)
            self.around.record(Recorded(_statement(layout, batch), lines, len(batch.rows)))
            return Sent()
        with self.database.connection(batch) as connection:
            import sqlalchemy as sa

            layout = self._layout(connection, batch)
            connection.execute(sa.text(_statement(layout, batch)), self._parameters(layout, batch, rows.values()))
            self.database.commit(connection)
        return Sent()

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - what every connector is asked
        """Nothing goes on there."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """As they are."""
        names = abilities(self.destination).identifiers
        return {name: row.identifiers[name] for name in names if name in row.identifiers}

    def members(self, audience: str) -> Iterator[Member]:
        """The rows of a segment."""
        with self.database.connection() as connection:
            import sqlalchemy as sa

            there = self._there(connection, self._table_name(audience))
            if not there:
                return
            names = [name for name in abilities(self.destination).identifiers if name in there]
            layout = self._layout_of(audience, dict.fromkeys(names, ""))
            found = connection.execution_options(stream_results=True).execute(
                sa.text(layout.members([KEY, *names])), {"segment": audience}
            )
            for key, *values in found:
                told = {name: str(value) for name, value in zip(names, values, strict=True) if value is not None}
                # Rows that somebody else has put in have keys of their own, by which alone they can be taken out.
                yield Member(told, known_as=str(key))

    def audiences(self) -> Iterator[Remote]:
        """Segments in the table; with a table for each, only those that the declaration names."""
        names = [there for _, there in self.destination.audiences] if "{audience}" in self._pattern() else [""]
        with self.database.connection() as connection:
            import sqlalchemy as sa

            for name in names:
                if self._there(connection, self._table_name(name)):
                    for segment, size in connection.execute(sa.text(self._layout_of(name, {}).sizes())):
                        yield Remote(segment, segment, size)

    def has(self, audience: str) -> bool | None:
        """Whether it has a table of its own; of one table for all the segments in it tell."""
        if "{audience}" not in self._pattern():
            return None
        with self.database.connection() as connection:
            return bool(self._there(connection, self._table_name(audience)))

    def close(self) -> None:
        """Lets go of connections."""
        self.database.close()

    # --- Tables ------------------------------------------------------------------------------------------------
    def _pattern(self) -> str:
        return str(self.options.get("table", "segment_members"))

    def _table_name(self, audience: str) -> str:
        return self._pattern().replace("{audience}", audience)

    def _layout(self, connection: Connection, batch: Batch) -> Layout:
        """The table as it is; made before, where it is not there."""
        import sqlalchemy as sa

        known = self._layouts.get(batch.audience)
        if known is not None:
            return known
        name, layout = self._table_name(batch.audience), self._new_layout(batch)
        there = self._there(connection, name)
        if not there:
            if not self.options.get("create", True):
                raise misfit(
                    self.destination.name, name, "is not there", "make it, or let segctl make it with `create: true`"
                )
            connection.execute(sa.text(layout.create()))
            there = layout.every
        missing = [column for column in layout.every if column not in there]
        if missing:
            new = "; ".join(f"ALTER TABLE {name} ADD COLUMN {column} {layout.every[column]}" for column in missing)
            raise misfit(self.destination.name, name, f"has no column `{missing[0]}`", f"`{new}`")
        layout = replace(layout, columns={column: there[column] for column in layout.columns})
        self._layouts[batch.audience] = layout
        return layout

    def _new_layout(self, batch: Batch) -> Layout:
        """The table as it would be made for a batch."""
        declared: Mapping[str, Any] = self.options.get("types") or {}
        is_postgres = self.database.url().get_backend_name() == "postgresql"
        identifiers = abilities(self.destination).identifiers
        fields = [name for name, _ in self.destination.fields] or sorted({n for row in batch.rows for n in row.fields})
        kinds = dict.fromkeys(identifiers, "text")
        kinds |= {name: kind_of(row.fields.get(name) for row in batch.rows) for name in fields if name not in kinds}
        kinds |= {name: str(kind) for name, kind in declared.items() if name in kinds}
        wrong = next((kind for kind in kinds.values() if kind not in KINDS), None)
        if wrong is not None:
            raise misfit(
                self.destination.name,
                self._pattern(),
                f"cannot have a column of the type `{wrong}`",
                f"there is {', '.join(KINDS)}",
            )
        taken = sorted(RESERVED & kinds.keys())
        if taken:
            hint = f"choose another name for `{taken[0]}` under `fields` or `identify`"
            raise misfit(self.destination.name, self._pattern(), f"has a column `{taken[0]}` of its own already", hint)
        types = {name: type_of(kind, is_postgres=is_postgres) for name, kind in kinds.items()}
        return self._layout_of(batch.audience, types)

    def _layout_of(self, audience: str, types: Mapping[str, str]) -> Layout:
        quote = self.database.dialect().identifier_preparer.quote_identifier
        schema, _, name = self._table_name(audience).rpartition(".")

        def escaped(text: str) -> str:
            # A colon would begin a parameter.
            return str(quote(text)).replace(":", "\\:")

        table = f"{escaped(schema)}.{escaped(name)}" if schema else escaped(name)
        return Layout(table, types, self.flags, self.database.dialect().name == "postgresql", escaped)

    def _there(self, connection: Connection, name: str) -> dict[str, str]:
        """Columns of a table with their types; none when it is not there."""
        import sqlalchemy as sa

        schema, _, table = name.rpartition(".")
        if connection.dialect.name == "postgresql":
            quote = connection.dialect.identifier_preparer.quote_identifier
            whole = f"{quote(schema)}.{quote(table)}" if schema else quote(table)
            found = connection.execute(
                sa.text(
                    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                    " WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
                ),
                {"name": whole},
            )
            return {row[0]: row[1] for row in found}
        inspected = sa.inspect(connection)
        if not inspected.has_table(table, schema=schema or None):
            return {}
        return {one["name"]: str(one["type"]) for one in inspected.get_columns(table, schema=schema or None)}

    def _parameters(self, layout: Layout, batch: Batch, rows: Any) -> Any:  # noqa: ANN401 - of a statement
        """One mapping for PostgreSQL, one for each row for SQLite."""
        fixed = {"segment": batch.audience, "at": batch.at.isoformat(), "push": batch.context.get("push", batch.id)}
        records = []
        for row in rows:
            values = (row.identifiers.get(name, row.fields.get(name)) for name in layout.columns)
            records.append(
                {"k": row.known_as or row.key, **{f"c{place}": bound(value) for place, value in enumerate(values)}}
            )
        if layout.is_postgres:
            return {**fixed, "rows": json.dumps(records, ensure_ascii=False)}
        return [{**fixed, **record} for record in records]


def _statement(layout: Layout, batch: Batch) -> str:
    return {"add": layout.add, "update": layout.update, "remove": layout.remove}[batch.action]()
