"""Which id a cluster keeps, and what becomes of the identities before."""

from __future__ import annotations

import numpy as np
import polars as pl

from segctl.identity.clusters import Lasting, lasting


def run(labels: list[int], previous: list[int], **facts: list[object]) -> Lasting:
    size = len(labels)
    frame = pl.DataFrame(
        {
            "known": facts.get("known", [True] * size),
            "records": facts.get("records", [1] * size),
            "seen": facts.get("seen", [None] * size),
            "rank": facts.get("rank", [0] * size),
            "name": [f"p{n:02}" for n in range(size)],
        },
        schema={"known": pl.Boolean, "records": pl.Int64, "seen": pl.Int64, "rank": pl.Int64, "name": pl.String},
    )
    return lasting(np.array(labels), pl.Series(previous, dtype=pl.Int32), frame.lazy())


def test_a_merge_keeps_the_id_that_holds_most_records() -> None:
    found = run([0, 0, 2], [0, 1, 2], records=[1, 3, 1])

    assert found.owners.to_list() == [1, 1, 2]
    assert found.events.rows() == [(1, "merged", [0, 1], 2), (2, "unchanged", [2], 1)]


def test_of_equal_ones_the_older_stays() -> None:
    assert run([0, 0], [0, 1], seen=[20, 10]).owners.to_list() == [1, 1]
    assert run([0, 0], [0, 1], seen=[None, 10]).owners.to_list() == [1, 1]
    assert run([0, 0], [0, 1]).owners.to_list() == [0, 0]


def test_a_person_goes_before_a_device_with_more_records() -> None:
    assert run([0, 0], [0, 1], known=[False, True], records=[9, 0]).owners.to_list() == [1, 1]


def test_the_records_of_a_whole_identity_count() -> None:
    found = run([0, 0, 0, 0], [0, 1, 1, 1], records=[2, 1, 1, 1])

    assert found.owners.to_list() == [1, 1, 1, 1]


def test_an_id_stays_with_the_identifier_it_came_from() -> None:
    found = run([0, 1, 1], [0, 0, 0], records=[1, 5, 5])

    assert found.owners.to_list() == [0, 1, 1]
    assert found.events.select("owner", "event", "before").rows() == [(0, "split", [0]), (1, "split", [0])]


def test_a_newcomer_takes_nobodys_id() -> None:
    found = run([0, 1, 0, 3], [0, 1], records=[1, 1, 9, 1])

    assert found.owners.to_list() == [0, 1, 0, 3]
    assert found.events.select("owner", "event").rows() == [(0, "unchanged"), (1, "unchanged"), (3, "new")]


def test_a_second_run_changes_nothing() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        labels = random.integers(0, 12, 30)
        previous = pl.Series(range(30), dtype=pl.Int32)
        facts = {"records": random.integers(0, 3, 30).tolist(), "known": (random.random(30) < 0.5).tolist()}

        once = run(labels.tolist(), previous.to_list(), **facts)
        twice = run(labels.tolist(), once.owners.to_list(), **facts)

        assert twice.owners.to_list() == once.owners.to_list()
        assert set(twice.events["event"]) == {"unchanged"}
        assert len(set(zip(labels.tolist(), once.owners.to_list(), strict=True))) == len(set(labels.tolist()))


def test_names_of_clusters_do_not_matter() -> None:
    assert run([5, 5, 9], [0, 1, 2]).owners.to_list() == run([0, 0, 1], [0, 1, 2]).owners.to_list()
