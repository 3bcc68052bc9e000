"""Tables: the suite on SQLite and on a real PostgreSQL, types, quoting, transactions, and what a table must have."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import ROWS, DestinationSuite, World, batch, finished

from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, Row
from segctl.connectors.destinations.sql import Table
from segctl.model.destinations import Destination
from segctl.model.errors import Refused, SegctlError, UsageError
from segctl.model.secrets import Secret, masked

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "connectors" / "sources"))
import postgres

TYPED = Row(
    "d" * 32,
    {"email": "d@example.com"},
    {
        "whole": 7, "real": 2.5, "exact": Decimal("19.990"), "yes": True, "day": date(2026, 2, 28), "absent": None,
        "at": datetime(2026, 11, 22, 5, 30, tzinfo=UTC), "text": "Jörg's \"ä\" \\ :x %s {} ; DROP TABLE t;--\U0001f600",
    },
)  # fmt: skip
FIELDS = tuple((name, name) for name in TYPED.fields)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: `apt install postgresql`)")
    with postgres.server(programs) as url:
        yield url


class TestSqlite(DestinationSuite):
    kind: ClassVar[str] = "sql"

    def options(self) -> dict[str, Any]:
        return {"url": "sqlite:///members.db"}

    def people(self, audience: str) -> set[str]:
        with closing(sqlite3.connect(self.world.root / "members.db")) as database:
            found = database.execute("SELECT email FROM segment_members WHERE segment = ?", (audience,))
            return {email for (email,) in found}

    def was_told(self) -> int:
        return len(list(self.world.root.iterdir()))


class TestFlags(TestSqlite):
    def options(self) -> dict[str, Any]:
        return {"url": "sqlite:///members.db", "removal": "flag"}

    def people(self, audience: str) -> set[str]:
        with closing(sqlite3.connect(self.world.root / "members.db")) as database:
            found = database.execute("SELECT email FROM segment_members WHERE segment = ? AND is_member", (audience,))
            return {email for (email,) in found}


class TestPostgres(DestinationSuite):
    kind: ClassVar[str] = "sql"

    @pytest.fixture(autouse=True)
    def _server(self, server: str) -> None:
        self.url = server
        self.run("DROP SCHEMA IF EXISTS crm CASCADE")
        self.run("CREATE SCHEMA crm")

    def run(self, statement: str) -> list[Any]:
        return asked(self.url, statement)

    def options(self) -> dict[str, Any]:
        return {"url": self.url, "table": "crm.Members"}

    def people(self, audience: str) -> set[str]:
        return {email for (email,) in self.run(f"SELECT email FROM crm.\"Members\" WHERE segment = '{audience}'")}

    def was_told(self) -> int:
        return int(self.run("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'crm'")[0][0])


def asked(url: str, statement: str) -> list[Any]:
    """What a statement gives, committed."""
    import sqlalchemy as sa

    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+pg8000"))
    with engine.begin() as connection:
        done = connection.exec_driver_sql(statement)
        rows = list(done) if done.returns_rows else []
    engine.dispose()
    return rows


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/members.db"
    url: str = request.getfixturevalue("server")
    asked(url, "DROP SCHEMA public CASCADE")
    asked(url, "CREATE SCHEMA public")
    return url


OPEN: list[Table] = []


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    """Closes what a test has opened."""
    yield
    while OPEN:
        OPEN.pop().close()


def table(folder: Path, url: str, **options: Any) -> Table:
    """The destination `crm`."""
    declared = Destination("crm", "sql", identify=(("email", "email"),), fields=FIELDS, options={"url": url, **options})
    return made(declared, folder)


def made(declared: Destination, folder: Path) -> Table:
    """A connector that is closed at the end of the test."""
    OPEN.append(Table(declared, World(folder).around()))
    return OPEN[-1]


def everything(url: str, statement: str = "SELECT * FROM segment_members") -> list[tuple[Any, ...]]:
    """Rows as they lie in the database."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
            return list(database.execute(statement))
    return [tuple(row) for row in asked(url, statement)]


def test_values_keep_their_types(address: str, tmp_path: Path) -> None:
    crm = table(tmp_path, address)
    finished(crm, batch((TYPED,), audience="winback"))

    [row] = everything(address, f"SELECT {', '.join(TYPED.fields)}, segment, member_key, push FROM segment_members")

    is_file = address.startswith("sqlite")
    assert row[:2] == (7, 2.5)
    assert row[2] == (19.99 if is_file else Decimal("19.990"))
    assert (row[3] == 1) if is_file else (row[3] is True)
    assert row[4] == ("2026-02-28" if is_file else date(2026, 2, 28))
    assert row[5] is None
    at = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
    assert row[6] == (at.isoformat() if is_file else at)
    assert row[7:] == (TYPED.fields["text"], "winback", "d" * 32, "push-1")


@pytest.mark.parametrize("removal", ["delete", "flag"])
def test_who_leaves_is_deleted_or_flagged(address: str, tmp_path: Path, removal: str) -> None:
    crm = table(tmp_path, address, removal=removal)
    finished(crm, batch(ROWS, audience="winback"))
    finished(crm, batch(ROWS, audience="other", id="b2"))

    finished(crm, batch(ROWS[:1], "remove", audience="winback", id="b3"))

    remote = {one.id: one.size for one in crm.audiences()}
    assert remote == {"winback": 2, "other": 3}
    assert len(everything(address)) == (6 if removal == "flag" else 5)
    if removal == "flag":
        finished(crm, batch(ROWS[:1], audience="winback", id="b4"))
        assert {one.id: one.size for one in crm.audiences()} == {"winback": 3, "other": 3}
        [(left,)] = everything(address, "SELECT count(*) FROM segment_members WHERE left_at IS NOT NULL")
        assert left == 0


@pytest.mark.parametrize("removal", ["delete", "flag"])
def test_a_row_that_somebody_else_put_in_is_found_and_taken_out(address: str, tmp_path: Path, removal: str) -> None:
    crm = table(tmp_path, address, removal=removal)
    finished(crm, batch((ROWS[0], replace(ROWS[1], key="by-hand")), audience="winback"))

    found = {member.identifiers["email"]: member.known_as for member in crm.members("winback")}
    foreign = replace(ROWS[1], known_as=found[ROWS[1].identifiers["email"]])
    finished(crm, batch((foreign,), "remove", audience="winback", id="push-1-batch-2"))

    assert [member.identifiers["email"] for member in crm.members("winback")] == [ROWS[0].identifiers["email"]]


def test_the_first_entry_is_remembered(address: str, tmp_path: Path) -> None:
    crm = table(tmp_path, address)
    finished(crm, batch(ROWS[:1], audience="winback"))
    later = replace(batch(ROWS[:1], audience="winback", id="b2"), at=datetime(2026, 12, 1, tzinfo=UTC))

    finished(crm, later)

    [(entered, updated)] = everything(address, "SELECT entered_at, updated_at FROM segment_members")
    assert str(entered)[:10] == "2026-11-22"
    assert str(updated)[:10] == "2026-12-01"


def test_who_comes_back_enters_anew(address: str, tmp_path: Path) -> None:
    crm = table(tmp_path, address, removal="flag")
    days = [datetime(2026, 12, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    for day, action in zip(days, ("add", "remove", "add", "add"), strict=True):
        told = batch(ROWS[:1], action, audience="winback", id=str(day))  # type: ignore[arg-type]  # one of the three
        finished(crm, replace(told, at=day))

    [(entered, updated)] = everything(address, "SELECT entered_at, updated_at FROM segment_members")

    assert (str(entered)[:10], str(updated)[:10]) == ("2026-12-03", "2026-12-04")


def test_a_batch_is_taken_whole_or_not_at_all(address: str, tmp_path: Path) -> None:
    if address.startswith("sqlite"):
        pytest.skip("SQLite takes any value in any column")
    crm = table(tmp_path, address)
    finished(crm, batch((TYPED,), audience="winback"))
    bad = replace(TYPED, key="e" * 32, fields={**TYPED.fields, "whole": "Anna Muster"})

    with pytest.raises(BatchRefusedError) as caught:
        finished(crm, batch((replace(TYPED, key="f" * 32), bad), audience="winback", id="b2"))

    assert caught.value.code == "22P02"
    assert "Anna" not in caught.value.reason
    assert len(everything(address)) == 1


def test_an_existing_table_is_checked(address: str, tmp_path: Path) -> None:
    key = "segment TEXT, member_key TEXT, entered_at TEXT, updated_at TEXT, push TEXT"
    texts = ", ".join(f"{name} TEXT" for name in TYPED.fields)
    run = everything if address.startswith("sqlite") else asked
    run(address, f"CREATE TABLE segment_members ({key}, {texts})")

    with pytest.raises(UsageError) as lacking:
        finished(table(tmp_path, address), batch((TYPED,), audience="winback"))
    run(address, "ALTER TABLE segment_members ADD COLUMN email TEXT")
    with pytest.raises(UsageError) as unkeyed:
        finished(table(tmp_path, address), batch(ROWS, audience="winback"))

    assert (lacking.value.code, unkeyed.value.code) == ("SEG906", "SEG906")
    assert "`email`" in lacking.value.message
    assert "ADD COLUMN email" in str(lacking.value.hint)
    assert "unique key (segment, member_key)" in unkeyed.value.message
    assert everything(address) == []


def test_a_table_that_may_not_be_made_is_not_made(address: str, tmp_path: Path) -> None:
    crm = table(tmp_path, address, create=False)

    with pytest.raises(UsageError):
        finished(crm, batch(ROWS, audience="winback"))

    assert [probe.status for probe in crm.check()] == ["ok", "problem"]


def test_a_table_of_its_own_is_found_under_its_former_name(address: str, tmp_path: Path) -> None:
    crm = table(tmp_path, address, table="of_{audience}")
    crm.send(batch(ROWS, audience="winback"))

    assert list(crm.audiences()) == []
    assert [crm.has(name) for name in ("winback", "other")] == [True, False]
    assert table(tmp_path, address).has("winback") is None


def test_names_are_quoted(address: str, tmp_path: Path) -> None:
    strange = 'Wert "ä": x; DROP'
    declared = Destination(
        "crm", "sql", fields=((strange, "points"), ("select", "points")),
        options={"url": address, "table": "of_{audience}"}, audiences=(("winback", 'Rück "1"'),),
    )  # fmt: skip
    crm = made(declared, tmp_path)
    row = replace(ROWS[0], fields={strange: 5, "select": "x"})

    finished(crm, batch((row,), audience=crm.audience("winback", 'Rück "1"')))

    assert [(one.id, one.size) for one in crm.audiences()] == [('Rück "1"', 1)]
    assert [member.identifiers["email"] for member in crm.members('Rück "1"')] == ["anna@example.com"]


def test_a_field_cannot_have_the_name_of_a_column_of_its_own(tmp_path: Path) -> None:
    crm = table(tmp_path, "sqlite:///members.db")
    declared = replace(crm.destination, fields=(("segment", "first_name"),))

    with pytest.raises(UsageError) as caught:
        finished(made(declared, tmp_path), batch(ROWS, audience="winback"))

    assert "`segment`" in caught.value.message


def test_an_unreachable_server_has_taken_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotNowError):
        finished(table(tmp_path, "postgresql://nobody@127.0.0.1:9/x"), batch(ROWS, audience="winback"))


def test_the_password_is_masked_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_PASSWORD", "s3cret-of-the-base")
    crm = table(tmp_path, "postgresql://nobody@127.0.0.1:9/x", password=Secret("env", ("PG_PASSWORD",)))

    with pytest.raises(NotNowError) as caught:
        finished(crm, batch(ROWS, audience="winback"))

    assert "s3cret" not in caught.value.reason
    assert masked("s3cret-of-the-base") == "***"


def test_only_allowed_hosts_are_spoken_to(tmp_path: Path) -> None:
    crm = table(tmp_path, "postgresql://nobody@db.example.com/x")
    declared = replace(crm.destination, allowed_hosts=("db.shop.example",))

    with pytest.raises(Refused) as caught:
        finished(made(declared, tmp_path), batch(ROWS, audience="winback"))

    assert caught.value.code == "SEG897"


@pytest.mark.parametrize("url", ["mysql://x@localhost/y", "nonsense", "postgresql+nosuch://x/y"])
def test_other_databases_are_refused_with_words(tmp_path: Path, url: str) -> None:
    with pytest.raises(SegctlError) as caught:
        finished(table(tmp_path, url), batch(ROWS, audience="winback"))

    assert caught.value.code in ("SEG906", "SEG907")


def test_a_missing_package_is_named_whatever_is_asked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = table(tmp_path, "sqlite:///members.db")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    asked_for = (
        lambda: crm.audience("winback", "winback"),
        lambda: finished(crm, batch(ROWS, audience="winback")),
        lambda: list(crm.members("winback")),
        lambda: list(crm.audiences()),
    )

    for ask in asked_for:
        with pytest.raises(UsageError) as caught:
            ask()
        assert caught.value.code == "SEG907"
        assert "segctl[sql]" in str(caught.value.hint)
    (probe,) = crm.check()
    assert (probe.status, probe.hint) == ("problem", "install it with `pip install 'segctl[sql]'`")


def test_a_missing_driver_is_named_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = table(tmp_path, "postgresql://nobody@db.example.com/x")
    monkeypatch.setitem(sys.modules, "pg8000", None)

    with pytest.raises(UsageError) as caught:
        crm.audience("winback", "winback")

    assert caught.value.code == "SEG907"
    assert "pg8000" in caught.value.message
