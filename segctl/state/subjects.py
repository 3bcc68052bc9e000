"""Subjects: one dense number for each identifier value ever seen, and the profile id minted with it.

A subject never changes its meaning, so event rows carry it for ever. Subjects are numbered from 0 in the order
they came; the dataset ``subjects`` has one row each: ``subject`` Int32, ``id_type``, ``value``, ``profile_id``,
``identifier_class`` String. Its files hold one range of subjects each, so in commit order row number = subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.project import IdentifierClass, IdentifierType
from segctl.state import problems
from segctl.state.known import KnownValues

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.files import StoredFile
    from segctl.state.workspace import Workspace

DATASET = "subjects"
LOCK = "subjects"
_SEPARATOR = "\x1f"
_HASH_LENGTH = 16


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """One identifier value and what it was given.

    Attributes:
        subject: Dense number.
        id_type: Declared identifier type, such as ``email``.
        value: The identifier itself: personal data when its type is.
        profile_id: Minted once, kept for ever.
    """

    subject: int
    id_type: str
    value: str
    profile_id: str
    identifier_class: IdentifierClass


def subject_count(workspace: Workspace, snapshot: int | None = None) -> int:
    """Number of subjects; the next new one gets this number."""
    return sum(file.rows for file in workspace.files(DATASET, snapshot))


class Subjects:
    """Turns identifiers into subjects, giving new ones a number at once.

    Args:
        workspace: Where they are kept.
        identifiers: Declared types in the order of their priority; needed to assign, not to read.
    """

    def __init__(self, workspace: Workspace, identifiers: Sequence[IdentifierType] = ()) -> None:
        self._workspace = workspace
        self._identifiers = {identifier.name: identifier for identifier in identifiers}
        first = next(iter(identifiers), None)
        self._primary = first.name if first is not None and not first.personal else None
        self._known: dict[str, KnownValues] = {}
        self._count = 0

    def resolve(self, id_types: pl.Series, values: pl.Series) -> pl.Series:
        """Subjects of identifiers, row by row; unknown ones are assigned and committed before this returns.

        Args:
            id_types: Declared type of each identifier, String.
            values: The identifiers, String, as long as `id_types`.

        Returns:
            Int32 named ``subject``; null where the type or value is missing or the value empty.

        Raises:
            KeyError: An identifier has a type that was not declared.
        """
        import polars as pl

        asked = pl.DataFrame({"id_type": id_types.cast(pl.String), "value": values.cast(pl.String)}).with_columns(
            value=pl.when(pl.col("id_type").is_not_null() & (pl.col("value") != "")).then(pl.col("value"))
        )
        found = self._look_up(asked)
        if self._is_complete(asked, found):
            return found
        with self._workspace.moment(LOCK):
            self._refresh()
            found = self._look_up(asked)
            new = asked.filter(found.is_null() & asked["value"].is_not_null()).unique(maintain_order=True)
            if new.height:
                self._assign(new)
        return self._look_up(asked)

    def table(self, snapshot: int | None = None) -> pl.LazyFrame:
        """One row per subject, row number = subject; columns as the module says."""
        return scan_subjects(self._workspace.files(DATASET, snapshot))

    def find(self, text: str, snapshot: int | None = None) -> list[SubjectRow]:
        """Subjects that a person's words can mean: an identifier value, ``type:value`` or a profile id.

        Several come back when one value stands under several types; none when nobody is known by it.
        """
        import polars as pl

        id_type, _, value = text.partition(":")
        fits = (
            (pl.col("value") == text)
            | (pl.col("profile_id") == text)
            | ((pl.col("id_type") == id_type) & (pl.col("value") == value))
        )
        rows = self.table(snapshot).filter(fits).collect().sort("subject")
        return [SubjectRow(*row) for row in rows.iter_rows()]

    def _refresh(self) -> None:
        files = self._workspace.files(DATASET)
        if sum(file.rows for file in files) == self._count:
            return
        # Positions are subjects, so what is new is a tail, however the files were merged meanwhile.
        fresh = scan_subjects(files).slice(self._count).select("id_type", "value", "subject").collect()
        self._count += fresh.height
        for (id_type,), part in fresh.partition_by("id_type", as_dict=True, include_key=False).items():
            known = self._known.get(id_type)
            more = (part["value"], part["subject"])
            self._known[id_type] = KnownValues(*more) if known is None else known.with_more(*more)

    def _look_up(self, asked: pl.DataFrame) -> pl.Series:
        import polars as pl

        if not self._count:
            self._refresh()
        types = asked["id_type"].drop_nulls().unique().to_list()
        if len(types) == 1 and not asked["id_type"].null_count():
            return self._look_up_type(types[0], asked["value"])
        found = pl.Series("subject", [None], dtype=pl.Int32).new_from_index(0, asked.height)
        for id_type in types:
            rows = (asked["id_type"] == id_type).fill_null(False).arg_true()
            found = found.scatter(rows, self._look_up_type(id_type, asked["value"].gather(rows)))
        return found.alias("subject")

    def _look_up_type(self, id_type: str, values: pl.Series) -> pl.Series:
        import polars as pl

        known = self._known.get(id_type)
        if known is None:
            return pl.Series("subject", [None], dtype=pl.Int32).new_from_index(0, values.len())
        return known.look_up(values)

    @staticmethod
    def _is_complete(asked: pl.DataFrame, found: pl.Series) -> bool:
        return found.null_count() == asked["value"].null_count()

    def _assign(self, new: pl.DataFrame) -> None:
        import polars as pl

        first = self._count
        classes = {name: identifier.identifier_class for name, identifier in self._identifiers.items()}
        minted = self._mint(new)
        rows = new.select(
            pl.int_range(first, first + new.height, dtype=pl.Int32).alias("subject"),
            "id_type",
            "value",
            minted,
            pl.col("id_type").replace_strict(classes, return_dtype=pl.String).alias("identifier_class"),
        )
        file = self._workspace.write(DATASET, rows, {"first": first})
        self._workspace.commit("subjects", add=[file])
        self._refresh()

    def _mint(self, new: pl.DataFrame) -> pl.Series:
        import polars as pl

        rows = new.with_row_index("row")
        parts = [
            pl.DataFrame({"row": part["row"], "profile_id": self._profile_ids(id_type, part["value"].to_list())})
            for (id_type,), part in rows.partition_by("id_type", as_dict=True).items()
        ]
        minted = pl.concat(parts).sort("row").drop("row")
        # After a change of the primary type a bare value may already name somebody else.
        taken = self.table().join(minted.lazy(), on="profile_id", how="semi").select("profile_id").collect()
        if not taken.height:
            return minted["profile_id"]
        qualified = new.select(pl.concat_str("id_type", pl.lit(":"), "value"))["id_type"]
        is_free = ~minted["profile_id"].is_in(taken["profile_id"].implode())
        return minted["profile_id"].zip_with(is_free, qualified)

    def _profile_ids(self, id_type: str, values: list[str]) -> list[str]:
        if self._identifiers[id_type].personal:
            prefix = f"{id_type}{_SEPARATOR}".encode()
            return [f"{id_type}:{sha256(prefix + v.encode()).hexdigest()[:_HASH_LENGTH]}" for v in values]
        if id_type != self._primary:
            return [f"{id_type}:{v}" for v in values]
        # `email:…` as a bare customer number would look like the id of an e-mail address.
        return [f"{id_type}:{v}" if ":" in v and v.partition(":")[0] in self._identifiers else v for v in values]


def scan_subjects(files: Sequence[StoredFile]) -> pl.LazyFrame:
    """The subjects of these files, row number = subject.

    Raises:
        IntegrityError: A range of subjects is missing.
    """
    import polars as pl

    if not files:
        text = dict.fromkeys(("id_type", "value", "profile_id", "identifier_class"), pl.String)
        return pl.LazyFrame(schema={"subject": pl.Int32, **text})
    in_order = sorted(files, key=lambda file: int(file.meta["first"]))
    expected = 0
    for file in in_order:
        if file.meta["first"] != expected:
            raise problems.file_missing(file.path)
        expected += file.rows
    return pl.scan_parquet([file.path for file in in_order])
