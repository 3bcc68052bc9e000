"""Splink 5 with the fields, levels, normal forms and blocking rules of segctl, for `identity.py`.

Its thresholds are then tried one by one against the truth, which no user could do: the best one is the bar.
"""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

import duckdb
import polars as pl

from segctl.identity.blocking import rules_for
from segctl.identity.fields import Records

THRESHOLDS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)


def columns(records: Records) -> pl.DataFrame:
    """The records as the matcher sees them, codes turned back into texts."""
    texts = {
        name: pl.Series([*field.values, None], dtype=pl.String).gather(field.codes % (len(field.values) + 1))
        for name, field in records.fields.items()
    }
    return pl.DataFrame({"unique_id": pl.int_range(len(records), eager=True), **texts})


def conditions(field: str, *, swapped: bool) -> list[str]:
    """DuckDB conditions of the levels between `different` and `equal`, the strongest first."""
    a, b = f"{field}_l", f"{field}_r"
    likeness = f"jaro_winkler_similarity({a}, {b})"
    slip = f"damerau_levenshtein({a}, {b}) <= 1"
    names = [f"{likeness} >= 0.92", f"{likeness} >= 0.80 OR {slip}"]
    parts = [(1, 4), (5, 2), (7, 2)]
    same = [f"substr({a}, {start}, {length}) = substr({b}, {start}, {length})" for start, length in parts]
    crossed = f"{same[0]} AND substr({a}, 5, 2) = substr({b}, 7, 2) AND substr({a}, 7, 2) = substr({b}, 5, 2)"
    local = [f"split_part({name}, '@', 1)" for name in (a, b)]
    of = {
        "given": (["given_l = surname_r AND surname_l = given_r"] if swapped else []) + names,
        "surname": names,
        "city": [names[0], f"{likeness} >= 0.80"],
        "street": [names[0], f"{likeness} >= 0.80"],
        "birth_date": [f"({crossed}) OR {slip}", " + ".join(f"({part})::int" for part in same) + " = 2", same[0]],
        "birth_year": [slip],
        "postcode": [slip, f"substr({a}, 1, 3) = substr({b}, 1, 3)"],
        "house_number": [slip],
        "email": [f"{local[0]} = {local[1]}", f"damerau_levenshtein({a}, {b}) <= 2",
                  f"jaro_winkler_similarity({local[0]}, {local[1]}) >= 0.92"],
        "phone": [slip],
        "gender": [],
    }  # fmt: skip
    return of.get(field, [f"{likeness} >= 0.92"])


def comparison(field: str, *, swapped: bool) -> Any:
    """One comparison of Splink with our levels."""
    import splink.comparison_level_library as levels
    from splink.comparison_library import CustomComparison

    exact = levels.ExactMatchLevel(field, term_frequency_adjustments=field not in ("gender", "email", "phone"))
    between = [levels.CustomLevel(condition) for condition in conditions(field, swapped=swapped)]
    return CustomComparison([levels.NullLevel(field), exact, *between, levels.ElseLevel()], output_column_name=field)


def clusters_by_threshold(records: Records, fields: tuple[str, ...]) -> tuple[dict[float, pl.Series], float]:
    """For each threshold the cluster of each record, and the seconds from registering to the first clusters."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    table = columns(records)
    rules = rules_for(records, max_block=1_000, pairs_per_record=40)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = DuckDBAPI(duckdb.connect())
        settings = SettingsCreator(
            "dedupe_only",
            comparisons=[comparison(field, swapped="given" in fields and "surname" in fields) for field in fields],
            blocking_rules_to_generate_predictions=[block_on(*rule.fields) for rule in rules],
        )
        linker = Linker(api.register(table.to_arrow()), settings, log_level=None)
        sure = [rule.fields for rule in rules if len(rule.fields) == 2 and "birth_date" in rule.fields]
        linker.training.estimate_probability_two_random_records_match(
            [block_on(*rule) for rule in sure] + [block_on("name_tokens")], recall=0.7
        )
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        # As its manual says: two sessions that leave each other's fields free.
        for fields_fixed in (("birth_date",), ("given", "surname")):
            if set(fields_fixed) <= records.fields.keys():
                linker.training.estimate_parameters_using_expectation_maximisation(block_on(*fields_fixed))
        predictions = linker.inference.predict(threshold_match_probability=THRESHOLDS[0])
        found, seconds = {}, 0.0
        for threshold in THRESHOLDS:
            done = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold)
            frame = pl.DataFrame(done.as_record_list()).sort("unique_id")
            found[threshold] = frame["cluster_id"]
            seconds = seconds or time.perf_counter() - start
    return found, seconds
