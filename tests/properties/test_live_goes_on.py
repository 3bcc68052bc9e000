"""A live evaluator that goes on with its shop answers at every step as a new evaluation of everybody does."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from incremental_world import Shop

from segctl.compile.zones import from_us, to_us
from segctl.operations.evaluation import evaluate
from segctl.operations.live.evaluation import LiveEvaluator
from segctl.operations.session import Session, open_session
from segctl.state.identity import canonical
from segctl.state.subjects import subject_count

_DEFINES = {"a definition", "another keep", "a segment goes", "a list"}


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed > 1 else []) for seed in range(40)]
)
def test_every_step_is_answered_as_by_a_new_evaluation(tmp_path: Path, seed: int) -> None:
    shop = Shop(tmp_path, seed)
    with open_session(tmp_path) as session:
        names = list(session.definitions.segments)
        live = _Live(session, names, keeps=seed % 2 == 1)
        live.check(shop)
        for _ in range(10):
            before = shop.records.copy()
            step = shop.happens()
            if step in _DEFINES:
                # Another definition is another evaluator.
                return
            live.goes_on(step, {record[0] for record in shop.records[len(before) :]})
            live.check(shop)


class _Live:
    """An evaluator and the newest snapshot beside its own.

    Args:
        keeps: Events that files hold as well are answered from memory as long as these files are there.
    """

    def __init__(self, session: Session, names: list[str], *, keeps: bool = False) -> None:
        self.session = session
        self.keeps = keeps
        self.snapshot = session.workspace.snapshot()
        self.evaluator = LiveEvaluator(session, names, self.snapshot)
        self.names = [name for name in names if name not in self.evaluator.late]
        self.owners = self._owners()
        self.random = Random(len(names))
        self.known: dict[int, dict[str, object]] = {}
        self.left_out = 0

    def goes_on(self, step: str, numbers: set[str]) -> None:
        """Hears of what happened: of events alone by themselves, of all else by a new snapshot."""
        workspace = self.session.workspace
        newest, owners = workspace.snapshot(), self._owners()
        files = {file.path for file in workspace.files("events", self.snapshot)}
        new = [file for file in workspace.files("events", newest) if file.path not in files]
        if step in ("events", "late events", "future events") and len(owners) == len(self.owners):
            for file in new:
                rows = pl.read_parquet(file.path).drop("file_id", "line")
                kind = next(iter(file.meta["kinds"]))
                rows = rows if "kind" in rows.columns else rows.with_columns(pl.lit(kind).alias("kind"))
                for (kind,), of in rows.partition_by("kind", as_dict=True, include_key=False).items():
                    self.evaluator.add_events(str(kind), of)
                if self.keeps:
                    self.evaluator.stored(self.evaluator.heights(), [str(file.path)])
            if self.keeps:
                self.evaluator.refresh(newest, [])
        else:
            merged = {at for at, owner in enumerate(owners) if owner != dict(enumerate(self.owners)).get(at)}
            known = _subjects(self.session)
            touched = merged | {known[number] for number in numbers}
            if step in ("tickets", "calls"):
                # Whose they are, and were, is in no record.
                touched |= set(known.values())
            self.evaluator.refresh(newest, sorted(touched), events_written=not self.keeps)
            self.owners = owners
        self.snapshot = newest

    def check(self, shop: Shop) -> None:
        wanted = evaluate(self.session, self.names, as_of=shop.now, snapshot=self.snapshot, due=True)
        assert wanted.due is not None
        asked = sorted(set(self.owners))
        if not self.is_whole_next():
            self._check_moved(asked, wanted.frame.select("subject", *self.names), shop.now)
            return
        found = self.evaluator.answers(asked, shop.now)
        self.known = {row["subject"]: row for row in found.select("subject", *self.names).to_dicts()}
        assert found.select("subject", *self.names).to_dicts() == wanted.frame.select("subject", *self.names).to_dicts()
        assert found["due"].to_list() == wanted.due.filter(wanted.frame["subject"].is_in(asked)).to_list()
        assert (found["due"] > to_us(shop.now)).all()

    def is_whole_next(self) -> bool:
        """Every third time or so everything is asked of everybody."""
        return not self.known or self.random.random() < 0.3

    def _check_moved(self, asked: list[int], wanted: pl.DataFrame, now: datetime) -> None:
        """What is not answered about some profiles is as it was the last time."""
        some = sorted(self.random.sample(asked, self.random.randint(1, len(asked))))
        found = self.evaluator.answers(some, now, only_moved=True)
        self.left_out += len(self.names) + 2 - len(found.columns)
        assert (found["due"] > to_us(now)).all()
        rows = {row["subject"]: row for row in found.drop("due").to_dicts()}
        for subject in some:
            before = self.known.pop(subject, {})
            if subject in rows:
                self.known[subject] = before | rows[subject]
        wanted = wanted.filter(pl.col("subject").is_in(some))
        assert [self.known[subject] for subject in some if subject in rows] == wanted.to_dicts()

    def _owners(self) -> list[int]:
        found = canonical(self.session.workspace)
        return list(range(subject_count(self.session.workspace))) if found is None else found.to_list()


def _subjects(session: Session) -> dict[str, int]:
    from segctl.state.subjects import Subjects

    table = Subjects(session.workspace).table().select("subject", "value").collect()
    return dict(zip(table["value"].to_list(), table["subject"].to_list(), strict=True))


def test_records_dated_ahead_are_valid_in_their_time(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 4)
    (tmp_path / "segments/gold.yaml").write_text("segment: gold\nwhere: {trait: tier, equals: gold}\n")
    # Whole pictures are of twenty days before.
    shop.now += timedelta(days=20, hours=5)
    shop.more_records(whole=True)
    shop.now -= timedelta(days=20, hours=5)
    shop.ingested()
    with open_session(tmp_path) as session:
        live = _Live(session, ["gold"])
        live.check(shop)
        people = sorted(_subjects(session).values())
        before = live.evaluator.answers(people, shop.now)
        assert to_us(shop.now + timedelta(hours=5)) in before["due"].to_list()

        shop.now += timedelta(hours=6)

        live.check(shop)
        assert live.evaluator.answers(people, shop.now)["gold"].to_list() != before["gold"].to_list()


def test_only_what_events_can_move_is_asked_again(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 4)
    for name, where in {
        "buyers": "{event: order, count: {at_least: 50}}",
        "visitors": "{event: visit, within_last: 5 days}",
        "guests": "{not: {segment: buyers}}",
        "gold": "{trait: tier, equals: gold}",
    }.items():
        (tmp_path / f"segments/{name}.yaml").write_text(f"segment: {name}\nwhere: {where}\n")
    with open_session(tmp_path) as session:
        names = ["buyers", "visitors", "guests", "gold"]
        live = LiveEvaluator(session, names, session.workspace.snapshot())
        people = sorted(set(_Live(session, names).owners))
        first, now = live.answers(people, shop.now), shop.now
        one, other = first["subject"].to_list()[:2]
        orders = pl.DataFrame(
            {"subject": [one] * 50, "ts": [now] * 50, "source": ["web"] * 50, "event_id": [str(n) for n in range(50)]},
            schema={"subject": pl.Int32, "ts": pl.Datetime("us", "UTC"), "source": pl.String, "event_id": pl.String},
        )

        live.add_events("order", orders)
        of_other = live.answers([other], now, only_moved=True)
        of_one = live.answers([one], now, only_moved=True)

        assert of_other.columns == ["subject", "due"]
        assert set(of_one.columns) == {"subject", "buyers", "guests", "due"}
        assert of_one.select("buyers", "guests").row(0) == (True, False)
        assert of_one["due"].item() == first.row(by_predicate=pl.col("subject") == one, named=True)["due"]
        assert live.answers([one], now, only_moved=True).columns == ["subject", "due"]
        live.refresh(session.workspace.snapshot(), [one])
        assert set(live.answers([one], now, only_moved=True).columns) == {"subject", *names, "due"}
        due = [at for at in first["due"].to_list() if at < 2**62]
        later = max(due)
        assert set(live.answers(people, from_us(later), only_moved=True).columns) == {"subject", *names, "due"}
