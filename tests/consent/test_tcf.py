"""TC strings: strict, and in agreement with the reference library on everything that is accepted."""

from __future__ import annotations

import json
import os
import random
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from segctl.consent.tcf import MalformedTcf, TcString, parse_tcf

STRING = "CQbToWAQbToWAAVADCENB4FoALAAAEIAAACYHCQBAAAgAFAXmA4QAAiAAAAA.IF5wBAAAgAHAAUAvMAAA.dgAAAAAAAAAA"
"""Of the reference library: purposes 1, 3, 4; vendors 1, 5, 755, 900, of which 1, 7, 10 and 755 are disclosed."""
REFERENCE = Path(__file__).with_name("tcf_reference.mjs")


def reads(text: str) -> TcString | None:
    try:
        return parse_tcf(text)
    except MalformedTcf:
        return None


def test_a_string_of_the_reference_library_is_read() -> None:
    found = parse_tcf(STRING)

    assert (found.purposes, found.purposes_by_interest) == ({1, 3, 4}, {2, 7})
    assert (found.vendors, found.vendors_by_interest, found.special_features) == ({1, 5, 755, 900}, {2}, {1})
    assert found.disclosed == {1, 7, 10, 755}
    assert (found.cmp_id, found.policy, found.language, found.country) == (21, 5, "EN", "AT")
    assert found.created.year == 2025


@pytest.mark.parametrize(
    ("vendor", "purposes", "allowed"),
    [(755, (1, 3), True), (755, (1, 2), False), (5, (1,), False), (2, (1,), False), (None, (1,), True),
     (755, (), False), (900, (1,), False)],
)  # fmt: skip
def test_consent_needs_purpose_vendor_and_disclosure(
    vendor: int | None, purposes: tuple[int, ...], allowed: bool
) -> None:
    assert parse_tcf(STRING).allows(vendor, purposes) is allowed


def test_every_truncation_is_malformed_or_loses_padding_alone() -> None:
    whole = parse_tcf(STRING)

    for length in range(len(STRING)):
        found = reads(STRING[:length])
        assert found is None or found == whole, length
    assert reads(STRING.rpartition(".")[0].rpartition(".")[0]) is None
    assert reads(STRING.rpartition(".")[0]) == whole
    assert reads("CP48") is None


def test_what_is_added_or_changed_at_the_edges_is_malformed() -> None:
    core, disclosed, publisher = STRING.split(".")
    for text in (
        "", ".", f"{core}.", f"{core}..{disclosed}", f"{core}.{disclosed}.{disclosed}", f"{core}.{publisher}",
        f"{disclosed}.{core}", f"{core}AAAAAAAA.{disclosed}", f"{core}B.{disclosed}", f"{core}=.{disclosed}",
        f" {core}.{disclosed}", f"{core}.{disclosed}\n", f"B{core[1:]}.{disclosed}", f"{core}.A{disclosed[1:]}",
        f"{core}.{disclosed}".replace("A", "+"), "C" * 60_000,
    ):  # fmt: skip
        assert reads(text) is None, text[:80]


def test_a_publisher_may_forbid_a_vendor() -> None:
    from dataclasses import replace

    from segctl.consent.tcf import Restriction

    found = parse_tcf(STRING)
    for of, allowed in ((0, False), (1, True), (2, False)):
        restricted = replace(found, restrictions=(Restriction(3, of, frozenset({755})),))
        assert restricted.allows(755, (1, 3)) is allowed
        assert restricted.allows(755, (1,)) is True


# --- Beside the reference library -----------------------------------------------------------------------------
@cache
def library() -> str | None:
    """Folder in whose `node_modules` the reference library is, None where there is none."""
    folders = [os.environ.get("SEGCTL_NODE_MODULES", ""), *map(str, Path(__file__).resolve().parents)]
    return next((one for one in folders if one and Path(one, "node_modules/@iabtechlabtcf/core").is_dir()), None)


def reference(asked: list[dict[str, Any]]) -> list[Any]:
    folder = library()
    if folder is None:
        pytest.skip("needs Node and `npm install @iabtechlabtcf/core` (its folder in SEGCTL_NODE_MODULES)")
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    done = subprocess.run(["node", REFERENCE, folder], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def random_model(rng: random.Random) -> dict[str, Any]:
    most = rng.choice([3, 40, 800])
    vendors = sorted(rng.sample(range(1, most + 1), rng.randrange(min(most, 60))))
    return {
        "cmp": rng.randrange(2, 4000), "policy": rng.choice([4, 5]), "list": rng.randrange(1, 4000),
        "created": rng.randrange(1_600_000_000, 1_790_000_000) * 1000, "features": rng.sample([1, 2], rng.randrange(3)),
        "purposes": sorted(rng.sample(range(1, 12), rng.randrange(12))),
        "interests": sorted(rng.sample([2, 7, 8, 9, 10, 11], rng.randrange(6))), "vendors": vendors,
        "others": vendors[::3], "disclosed": sorted({*vendors[::2], *rng.sample(range(1, most + 1), most // 3)}),
    }  # fmt: skip


def test_random_strings_read_as_the_reference_library_reads_them() -> None:
    rng = random.Random(2026)
    strings = reference([{"encode": random_model(rng)} for _ in range(150)])

    for text, theirs in zip(strings, reference([{"decode": text} for text in strings]), strict=True):
        ours = parse_tcf(text)
        assert sorted(ours.purposes) == theirs["purposes"]
        assert sorted(ours.purposes_by_interest) == theirs["interests"]
        assert sorted(ours.special_features) == theirs["features"]
        assert sorted(ours.vendors) == theirs["vendors"]
        assert sorted(ours.vendors_by_interest) == theirs["others"]
        assert sorted(ours.disclosed) == theirs["disclosed"]
        assert (ours.cmp_id, ours.language, ours.country) == (theirs["cmp"], theirs["language"], theirs["country"])
        assert round(ours.created.timestamp() * 1000) == theirs["created"]


def test_no_truncation_of_a_random_string_gives_more_than_the_whole() -> None:
    rng = random.Random(7)
    for text in reference([{"encode": random_model(rng)} for _ in range(12)]):
        whole = parse_tcf(text)
        cut = [found for length in range(len(text)) if (found := reads(text[:length])) is not None]
        assert all(found == whole for found in cut)
