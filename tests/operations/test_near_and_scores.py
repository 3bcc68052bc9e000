"""Places, scores and sister segments through the whole program: lists that change, plans against Git, explanations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from end_to_end.program import ok
from git_repository import committed

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {nr: {class: known}}\n"
    "traits: {zip: text, points: integer}\nnear: {trait: zip, country: DE}\nplaces: {stores: lists/stores.csv}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {zip: plz, points: punkte}\n",
    "crm.csv": "nr,plz,punkte\n1,80331,10\n2,D-82152,20\n3,1067,30\n4,99999,40\n5,,50\n",
    "traits/scores.yaml": "traits:\n  rank: {score: points, best: high}\n",
    "segments/near_store.yaml": "segment: near_store\nwhere: {near: {places: stores}, within: 20 km}\n",
    "segments/best.yaml": "segment: best\nwhere: {trait: rank, at_least: 5}\n",
    "segments/each.yaml": 'segment: near_{town}\nfor_each: {list: lists/towns.csv}\n'
    'where: {near: {postal_code: "{plz}"}, within: "{radius}"}\n',
    "lists/stores.csv": "name,plz\nMarienplatz,80331\n",
    "lists/towns.csv": "town,plz,radius\nDresden,01067,1 km\nMünchen,80331,1 km\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = tmp_path_factory.mktemp("repository")
    committed(repository, repository / "shop", FILES)
    ok("ingest", cwd=repository / "shop")
    ok("apply", cwd=repository / "shop")
    return repository / "shop"


def members(shop: Path, segment: str) -> list[str]:
    return sorted(ok("show", segment, "-f", "ids", cwd=shop).split())


def test_a_run_finds_who_is_near_best_and_in_which_town(shop: Path) -> None:
    assert members(shop, "near_store") == ["1", "2"]
    assert members(shop, "best") == ["5"]
    assert (members(shop, "near_dresden"), members(shop, "near_muenchen")) == (["3"], ["1"])


def test_explain_gives_distance_and_score(shop: Path) -> None:
    far = ok("explain", "near_store", "3", cwd=shop)
    rank = json.loads(ok("explain", "best", "4", "-f", "json", cwd=shop))

    assert "from Marienplatz, needs at most 20 km" in far
    assert "score 1–5 of points" in json.dumps(rank, ensure_ascii=False)


def test_a_changed_list_of_places_is_a_changed_input(shop: Path) -> None:
    (shop / "lists/stores.csv").write_text("name,plz\nAltstadt,01067\n")

    told = ok("explain", "near_store", "1", "--run", "last", cwd=shop)
    planned = ok("plan", "--against", "main", cwd=shop)
    (shop / "lists/stores.csv").write_text(FILES["lists/stores.csv"])

    assert "the list `lists/stores.csv` has changed since that run" in told
    assert "near_store" in planned
