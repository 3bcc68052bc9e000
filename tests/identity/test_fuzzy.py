"""Persons by likeness, whole: outcomes, what is known, and that nothing but the data matters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from likeness_data import ROLES, people

from segctl.identity import fuzzy
from segctl.identity.explain import explain_pairs
from segctl.identity.fields import Role
from segctl.identity.fuzzy import Constraints, FuzzyResult, FuzzySettings, match
from segctl.model.errors import DataError

HERE = Path(__file__).parent


def f1(person: pl.Series, cluster: pl.Series) -> float:
    table = pl.DataFrame({"person": person, "cluster": cluster})

    def pairs(*columns: str) -> int:
        sizes: Iterable[int] = table.group_by(columns).len()["len"]
        return sum(size * (size - 1) // 2 for size in sizes)

    return 2 * pairs("person", "cluster") / (pairs("person") + pairs("cluster"))


def found(result: FuzzyResult, frame: pl.DataFrame) -> float:
    joined = frame.join(result.clusters, on="record")
    return f1(joined["person"], joined["cluster"])


def cluster_of(result: FuzzyResult) -> dict[int, int]:
    return dict(result.clusters.iter_rows())


def equal(a: FuzzyResult, b: FuzzyResult) -> bool:
    frames = ("clusters", "links", "review", "related")
    return all(getattr(a, name).equals(getattr(b, name)) for name in frames)


@pytest.fixture(scope="module")
def crowd() -> pl.DataFrame:
    return people(300, 11)


def test_mistyped_copies_are_found(crowd: pl.DataFrame) -> None:
    assert found(match(crowd.drop("person"), ROLES), crowd) > 0.98


def test_every_record_has_a_cluster_and_links_hold_it_together(crowd: pl.DataFrame) -> None:
    result = match(crowd.drop("person"), ROLES)
    cluster = cluster_of(result)

    assert sorted(cluster) == crowd["record"].sort().to_list()
    assert all(cluster[first] == first <= record for record, first in cluster.items())
    assert len(result.links) == len(cluster) - len(set(cluster.values()))
    assert all(cluster[a] == cluster[b] for a, b, *_ in result.links.iter_rows())
    # One link for each record that is not the first of its cluster: as many as a tree needs, none twice.
    assert result.links["right"].n_unique() == len(result.links)
    assert (result.links["left"] < result.links["right"]).all()


def test_a_link_is_the_strongest_to_an_earlier_record(crowd: pl.DataFrame) -> None:
    frame = crowd.drop("person")
    result = match(frame, ROLES)
    members: dict[int, list[int]] = {}
    for record, cluster in result.clusters.iter_rows():
        members.setdefault(cluster, []).append(record)
    last = {max(group): sorted(group)[:-1] for group in members.values() if len(group) > 2}
    told = explain_pairs(frame, ROLES, result.model, [(a, b) for b, earlier in last.items() for a in earlier])
    strongest = {b: max(one.bits for one in told if one.right == b) for b in last}

    bits = {b: bits for _, b, bits, _ in result.links.iter_rows() if b in last}

    assert bits == pytest.approx(strongest)
    assert len(bits) > 20


def test_the_order_of_rows_and_columns_does_not_matter(crowd: pl.DataFrame) -> None:
    first = match(crowd.drop("person"), ROLES)
    shuffled = crowd.drop("person").sample(fraction=1, shuffle=True, seed=5).select(*sorted(ROLES), "record")

    assert equal(first, match(shuffled, ROLES))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_order_of_rows_never_matters(seed: int, order: int) -> None:
    frame = people(25, seed).drop("person")

    assert equal(match(frame, ROLES), match(frame.sample(fraction=1, shuffle=True, seed=order), ROLES))


def test_small_chunks_and_little_memory_change_the_work_and_not_the_result(crowd: pl.DataFrame) -> None:
    frame = crowd.drop("person")

    assert equal(match(frame, ROLES), match(frame, ROLES, FuzzySettings(chunk=50)))


def test_pairs_that_do_not_fit_in_memory_are_made_twice(crowd: pl.DataFrame) -> None:
    frame = crowd.drop("person")
    # A sample as large as the rules: what is learnt is the same, and so is all that follows.
    everything = FuzzySettings(pairs_in_memory=1, sample=10_000, chunk=300)

    assert equal(match(frame, ROLES), match(frame, ROLES, everything))


@pytest.mark.parametrize("in_memory", [1, 10_000_000])
def test_progress_only_grows_and_stays_within_its_total(crowd: pl.DataFrame, in_memory: int) -> None:
    told: list[tuple[int, int]] = []

    match(
        crowd.drop("person"), ROLES, FuzzySettings(pairs_in_memory=in_memory, chunk=200),
        progress=lambda done, of: told.append((done, of)),
    )  # fmt: skip

    assert len(told) > 5
    assert told == sorted(told)
    assert len({of for _, of in told}) == 1
    assert told[-1][0] <= told[-1][1]


def test_a_sample_of_the_pairs_is_enough_to_learn_from(crowd: pl.DataFrame) -> None:
    result = match(crowd.drop("person"), ROLES, FuzzySettings(pairs_in_memory=1, sample=100))

    assert found(result, crowd) > 0.97


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_number_of_threads_does_not_matter(threads: str, crowd: pl.DataFrame) -> None:
    program = (
        "from likeness_data import ROLES, people\nfrom segctl.identity.fuzzy import match\n"
        "r = match(people(300, 11).drop('person'), ROLES)\n"
        "print([r.clusters.rows(), r.links.rows(), r.review.rows(), r.related.rows()])"
    )
    environment = {**os.environ, "POLARS_MAX_THREADS": threads, "PYTHONPATH": str(HERE)}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    result = match(crowd.drop("person"), ROLES)

    here = [frame.rows() for frame in (result.clusters, result.links, result.review, result.related)]
    assert told.stdout.strip() == str(here)


COUPLE = {"last": "Zumbrunnen", "zip": "50667", "town": "Köln", "road": "Domstraße", "no": "4"}


def with_records(crowd: pl.DataFrame, *rows: dict[str, str | None]) -> pl.DataFrame:
    more = pl.DataFrame([{"record": 9_000 + at, **row} for at, row in enumerate(rows)], infer_schema_length=None)
    return pl.concat([crowd.drop("person"), more], how="diagonal")


def test_a_couple_is_a_household_and_not_one_person(crowd: pl.DataFrame) -> None:
    frame = with_records(
        crowd, {"first": "Anna", "born": "1960-02-03", **COUPLE}, {"first": "Bernd", "born": "1958-11-30", **COUPLE}
    )

    result = match(frame, ROLES)

    assert cluster_of(result)[9_000] != cluster_of(result)[9_001]
    assert result.related.filter(left=9_000, right=9_001)["why"].to_list() == [
        "same address and surname, another given name"
    ]
    assert result.review.filter(left=9_000, right=9_001).is_empty()


def test_a_shared_phone_with_another_given_name_is_a_household(crowd: pl.DataFrame) -> None:
    frame = with_records(
        crowd,
        {"first": "Anna", "last": "Abt", "tel": "+49308877665"},
        {"first": "Egon", "last": "Bär", "tel": "+49308877665"},
    )

    result = match(frame, ROLES)

    assert cluster_of(result)[9_000] != cluster_of(result)[9_001]
    assert result.related.filter(left=9_000, right=9_001)["why"].to_list() == ["same phone, another given name"]


def test_a_third_record_without_a_given_name_does_not_join_a_couple(crowd: pl.DataFrame) -> None:
    frame = with_records(
        crowd, {"first": "Anna", "born": "1960-02-03", **COUPLE}, {"first": "Bernd", "born": "1958-11-30", **COUPLE},
        {"first": None, **COUPLE},
    )  # fmt: skip

    cluster = cluster_of(match(frame, ROLES))

    assert cluster[9_000] != cluster[9_001]


def test_swapped_names_and_three_spellings_of_an_umlaut_are_one_person(crowd: pl.DataFrame) -> None:
    rows = [
        {"first": "Götz", "last": "Überwasser", "born": "1966-05-04"},
        {"first": "Ueberwasser", "last": "Goetz", "born": "1966-05-04"},
        {"first": "Gotz", "last": "Uberwasser", "born": "1966-04-05"},
    ]

    cluster = cluster_of(match(with_records(crowd, *rows), ROLES))

    assert {cluster[9_000 + at] for at in range(3)} == {9_000}


def test_missing_values_join_nobody(crowd: pl.DataFrame) -> None:
    rows = [{"first": "n/a", "last": "unbekannt", "mail": "-", "tel": "", "born": None}] * 5

    result = match(with_records(crowd, *rows), ROLES)

    assert all(cluster_of(result)[9_000 + at] == 9_000 + at for at in range(5))


def test_records_of_one_group_stay_together_and_pairs_said_to_be_two_stay_apart(crowd: pl.DataFrame) -> None:
    first = match(crowd.drop("person"), ROLES)
    left, right = first.links.row(0)[:2]
    far = first.clusters.filter(pl.col("cluster") != cluster_of(first)[left])["record"][0]
    frame = crowd.drop("person").with_columns(
        known=pl.when(pl.col("record").is_in([left, far])).then(pl.lit("k")), source=pl.lit(None, pl.String)
    )
    # Either order of the two ids says the same.
    apart = pl.DataFrame({"left": [right], "right": [left]})

    result = match(frame, ROLES, constraints=Constraints(group="known", cannot=apart))

    assert cluster_of(result)[left] == cluster_of(result)[far]
    assert cluster_of(result)[left] != cluster_of(result)[right]
    assert result.review.filter(left=left, right=right).is_empty()


def test_a_decision_wins_over_a_group(crowd: pl.DataFrame) -> None:
    left, right = match(crowd.drop("person"), ROLES).links.row(0)[:2]
    frame = crowd.drop("person").with_columns(known=pl.when(pl.col("record").is_in([left, right])).then(1))

    result = match(
        frame, ROLES, constraints=Constraints(group="known", cannot=pl.DataFrame({"left": [left], "right": [right]}))
    )

    assert cluster_of(result)[left] != cluster_of(result)[right]


@pytest.mark.parametrize("column", ["one_each", "must_agree"])
def test_sources_that_are_unique_and_numbers_that_differ_keep_apart(crowd: pl.DataFrame, column: str) -> None:
    left, right = match(crowd.drop("person"), ROLES).links.row(0)[:2]
    values = {left: "shop", right: "shop" if column == "one_each" else "other"}
    frame = crowd.drop("person").with_columns(mark=pl.col("record").replace_strict(values, default=None))

    result = match(frame, ROLES, constraints=Constraints(**{column: ("mark",)}))

    assert cluster_of(result)[left] != cluster_of(result)[right]
    assert result.review.filter(left=left, right=right)["why"].to_list() == [fuzzy.KNOWN_APART]


def test_doubtful_pairs_are_for_review_and_in_no_cluster(crowd: pl.DataFrame) -> None:
    sparse = crowd.select("record", "person", "first", "last", "town", "zip")
    roles = {name: role for name, role in ROLES.items() if name in sparse.columns}

    result = match(sparse.drop("person"), roles)

    assert len(result.review) > 0
    cluster = cluster_of(result)
    assert all(cluster[a] != cluster[b] for a, b, *_ in result.review.iter_rows())
    assert result.review["bits"].min() >= FuzzySettings().review_bits
    seen = [tuple(sorted((cluster[a], cluster[b]))) for a, b, *_ in result.review.iter_rows()]
    assert len(seen) == len(set(seen))


def test_a_component_that_is_too_large_is_split_at_stronger_links(crowd: pl.DataFrame) -> None:
    result = match(crowd.drop("person"), ROLES, FuzzySettings(max_component=4, link_bits=-8))

    assert result.clusters.group_by("cluster").len()["len"].max() <= 4
    assert found(result, crowd) > 0.9


def test_a_known_group_of_any_size_is_one_person_without_a_look_at_all_its_pairs(crowd: pl.DataFrame) -> None:
    frame = crowd.drop("person").with_columns(known=pl.when(pl.col("record") < 100).then(1))

    result = match(frame, ROLES, FuzzySettings(max_component=50), constraints=Constraints(group="known"))

    cluster = cluster_of(result)
    assert {cluster[record] for record in range(100)} == {0}
    assert len(result.links) == len(cluster) - len(set(cluster.values()))


def test_dropped_blocks_are_noted(crowd: pl.DataFrame) -> None:
    same = crowd.drop("person").with_columns(mail=pl.lit("family@example.org"))

    result = match(same, ROLES, FuzzySettings(max_block=50))

    assert ("email", ("family@example.org",), len(same)) in [
        (block.rule, block.values, block.records) for block in result.model.dropped
    ]
    assert all(pairs <= 50 * len(same) for _, pairs in result.model.rules)


NASTY = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        [
            "n/a",
            "١٩٧١-٠٦-٢٤",
            "24.6.1971",
            "1971-06-24",
            "\u0308",
            "a@",
            "@a.de",
            "+49",
            "12a",
            "Dr.",
            ",",
            "'",
            "x" * 300,
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(NASTY, min_size=len(Role), max_size=len(Role)), min_size=1, max_size=9))
def test_no_text_in_any_column_is_too_much(rows: list[list[str | None]]) -> None:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(Role, pl.String), orient="row").with_row_index("record")
    # One record that says something, since records that all say nothing are refused.
    frame = pl.concat([frame, pl.DataFrame({"record": 99, "surname": "Abt"}, schema_overrides={"record": pl.UInt32})],
                      how="diagonal")  # fmt: skip

    result = match(frame, {role: role for role in Role})

    assert len(result.clusters) == len(rows) + 1


@pytest.mark.parametrize("number", [0, 1, 2])
def test_hardly_any_records(number: int) -> None:
    frame = people(5, 1, copies=0).drop("person").head(number)
    if number == 0:
        with pytest.raises(DataError):
            match(frame, ROLES)
        return

    assert cluster_of(match(frame, ROLES)) == {record: record for record in range(number)}


def test_two_equal_records_alone_are_one_person() -> None:
    row = people(1, 1, copies=0).drop("person", "record")

    assert cluster_of(match(pl.concat([row, row]).with_row_index("record"), ROLES)) == {0: 0, 1: 0}


def test_ids_may_be_texts(crowd: pl.DataFrame) -> None:
    texts = crowd.with_columns(record=pl.format("crm:{}", pl.col("record").cast(pl.String).str.zfill(6)))

    assert found(match(texts.drop("person"), ROLES), texts) == found(match(crowd.drop("person"), ROLES), crowd)


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        match(pl.DataFrame({"record": [1], "last": [None]}), {"last": "surname"})

    assert caught.value.code == "SEG461"


@pytest.mark.parametrize(
    ("name", "least"), [("fake_1000", 0.93), ("RLdata500", 0.98), ("febrl3", 0.995)]
)  # fmt: skip
def test_quality_on_labelled_sets(shared: Path, name: str, least: float) -> None:
    sys.path.insert(0, str(HERE.parent / "benchmarks"))
    try:
        from identity import SETS, ours, quality, read
    finally:
        sys.path.pop(0)
    frame = read(SETS[name])

    result, _, _ = ours(frame, SETS[name])

    joined = frame.select("record", "person").join(result.clusters, on="record")
    assert quality(joined["person"], joined["cluster"])[2] >= least
