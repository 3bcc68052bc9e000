"""A project on real data: its own folder, the shared files behind a link, reference answers beside it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from end_to_end.program import document, ok

HERE = Path(__file__).resolve().parent / "real"


def sql_answers(project: str, folder: str = "sql") -> list[str]:
    """Segments of a project whose members a query beside them gives as well."""
    return sorted(path.stem for path in (HERE / project / folder).glob("*.sql"))


class RealProject:
    """One dataset, its project (by default of the same name) in a folder of its own, and its reference answers.

    Attributes:
        folder: Copy of the project; `data` in it leads to the dataset.
        ingested: The document of `segctl ingest`.
        runs: Ids of the runs, the earliest first.
    """

    def __init__(self, dataset: str, shared: Path, into: Path, *, project: str | None = None) -> None:
        self._project = HERE / (project or dataset)
        self._data = shared / "datasets" / dataset
        self._facts = json.loads((self._data / "facts.json").read_text("utf-8"))
        self.folder = into / self._project.name
        shutil.copytree(self._project, self.folder, ignore=shutil.ignore_patterns("sql*", "views.sql"))
        (self.folder / "data").symlink_to(self._data, target_is_directory=True)
        self.ingested: dict[str, Any] = {}
        self.runs: list[str] = []
        self._counts: dict[str, int] = {}
        self._database: duckdb.DuckDBPyConnection | None = None
        self._exports: dict[tuple[str, tuple[str, ...]], list[dict[str, str]]] = {}

    def ingest(self) -> RealProject:
        """Read every source."""
        self.ingested = document("ingest", cwd=self.folder)
        return self

    def apply(self, as_of: str) -> RealProject:
        """Evaluate every segment; its sizes are those of this run from now on."""
        run = document("apply", "--as-of", as_of, cwd=self.folder)
        self._counts = {row["segment"]: row["members"] for row in run["data"]}
        self.runs.append(run["run"]["id"])
        return self

    def fact(self, name: str) -> Any:
        """A reference answer as the dataset's `facts.json` has it."""
        return next(fact["value"] for fact in self._facts["facts"] if fact["name"] == name)

    def source(self, name: str) -> dict[str, Any]:
        """What the ingest said about a source."""
        return next(row for row in self.ingested["run"]["sources"] if row["source"] == name)

    def size(self, segment: str) -> int:
        """Members of a segment in the last run."""
        return self._counts[segment]

    def sizes_by(self, engine: str, as_of: str) -> dict[str, int]:
        """Sizes of all segments as another engine counts them; nothing is recorded."""
        run = document("apply", "--engine", engine, "--as-of", as_of, "--dry-run", cwd=self.folder)
        return {row["segment"]: row["members"] for row in run["data"]}

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of all segments in the last run."""
        return dict(self._counts)

    def members(self, segment: str, *, run: int = -1) -> set[str]:
        """Profile ids of a segment's members in a run; each stands there once."""
        text = ok("show", f"segment:{segment}", "--run", self.runs[run], "-f", "ids", cwd=self.folder)
        ids = text.split("\n")[:-1]
        assert len(ids) == len(set(ids))
        return set(ids)

    def export(self, segment: str, *traits: str, run: int = -1) -> list[dict[str, str]]:
        """A run's members of a segment with traits as of that run, as `-f csv` writes them; read once."""
        wanted = (segment, (self.runs[run], *traits))
        if wanted not in self._exports:
            arguments = ("--run", self.runs[run], "--columns", ",".join(traits), "-f", "csv")
            text = ok("show", f"segment:{segment}", *arguments, cwd=self.folder)
            self._exports[wanted] = list(csv.DictReader(io.StringIO(text, newline="")))
        return self._exports[wanted]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the dataset's views, computed by DuckDB."""
        if self._database is None:
            self._database = self._open()
        return self._database.execute(sql).fetchall()

    def _open(self) -> duckdb.DuckDBPyConnection:
        database = duckdb.connect(config={"threads": 1})
        database.execute(f"SET file_search_path = '{self._data}'")
        for name, view in self._facts["views"].items():
            database.execute(f"CREATE VIEW {name} AS {view}")
        own = self._project / "views.sql"
        if own.exists():
            database.execute(own.read_text("utf-8"))
        return database

    def expected_members(self, segment: str, folder: str = "sql") -> set[str]:
        """Members of a segment as the query beside it gives them."""
        rows = self.query((self._project / folder / f"{segment}.sql").read_text("utf-8"))
        return {str(row[0]) for row in rows}


def total(rows: Sequence[dict[str, str]], trait: str) -> Decimal:
    """Exact sum of a trait over exported members; an empty cell adds nothing."""
    return sum((Decimal(row[trait]) for row in rows if row[trait]), Decimal(0))
