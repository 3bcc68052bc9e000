"""Six systems become one set of people; a wrong merge is found, explained and undone, and diff names it."""

from __future__ import annotations

import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from contracts.fake_shop import TOKEN
from contracts.prism import VERSION, mocked
from end_to_end.every_source import filled_shop, point_of_sale, write_project
from end_to_end.program import run

KEYS = {"SHOPIFY_TOKEN": TOKEN, "STRIPE_API_KEY": "sk_test_planted", "KLAVIYO_API_KEY": "pk_planted_1"}
DESCRIPTIONS = {
    "stripe_customers": "stripe/stripe-customers-events-read.json",
    "klaviyo_profiles": "klaviyo/klaviyo-2026-07-15.json",
}


@dataclass
class World:
    """The project and what its commands answered, by name."""

    root: Path
    keys: Mapping[str, str]
    is_postgres: bool
    without_prism: str | None
    answers: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def call(self, *words: str, code: int = 0, **keys: str) -> Any:
        """The JSON document of a call that must end with a code and tell no secret."""
        done = run(*words, "--json", cwd=self.root, SEGCTL_AS_OF="2026-11-20", **{**self.keys, **keys})
        told = done.stdout + done.stderr
        assert done.returncode == code, f"segctl {' '.join(words)}: exit {done.returncode}\n{told}"
        assert "Traceback" not in told
        self.errors.append(done.stderr)
        for name, key in self.keys.items():
            assert key not in told, f"{name} is shown"
        return json.loads(done.stdout) if done.stdout else None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All six sources, read, and recognised, wrongly merged, and mended."""
    root = tmp_path_factory.mktemp("lindenhof")
    with ExitStack() as open_servers:
        presets, reason = _described(open_servers)
        shop = open_servers.enter_context(filled_shop())
        write_project(root, shop.url, presets)
        pos_url, is_postgres = open_servers.enter_context(point_of_sale(root))
        made = World(root, {**KEYS, "POS_URL": pos_url}, is_postgres, reason)
        _go_the_way(made)
        yield made


def _described(servers: ExitStack) -> tuple[dict[str, str], str | None]:
    """Addresses of the vendors' descriptions, by preset, and why there are none."""
    folder = Path(os.environ.get("SEGCTL_SHARED", Path(__file__).parents[3] / "shared")) / "contracts"
    if not folder.is_dir():
        return {}, "needs the shared folder with vendors' API descriptions"
    if "SEGCTL_PRISM" not in os.environ and not Path(tempfile.gettempdir(), f"segctl-prism-{VERSION}").is_dir():
        return {}, "needs Prism: tests/contracts install it, or SEGCTL_PRISM names its folder"
    try:
        return {name: servers.enter_context(mocked(folder / path)) for name, path in DESCRIPTIONS.items()}, None
    except pytest.skip.Exception as skipped:
        return {}, str(skipped)


def commands_of_the_readme() -> list[list[str]]:
    """The calls of the README's section on many systems, in order."""
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    section = text.partition("## Many systems, one set of people\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines()]
    calls = [shlex.split(call) for line in lines for call in line.split("&&")]
    return [words[1:] for words in calls if words and words[0] == "segctl"]


def _go_the_way(made: World) -> None:
    """What a new user does, one command of the README after the other."""
    said = made.answers
    said["validate"] = [made.call("validate", "newsletter")]
    for words in commands_of_the_readme():
        name = " ".join(words)
        if name == "dedupe review":
            continue  # It asks people; tests/cli have it.
        said.setdefault(name, []).append(made.call(*words))
    said["diff"] = [made.call("diff", "--from", "previous")]
    said["quarantine show newsletter"] = [made.call("quarantine", "show", "newsletter")]
    said["dedupe again"] = [made.call("dedupe")]


def test_every_source_is_read(world: World) -> None:
    read = {row["source"]: (row["read"], row["bad"], row["state"]) for row in world.answers["ingest"][0]["data"]}

    assert read["newsletter"] == (83, 4, "ingested")
    assert read["pos"] == (43, 1, "ingested")
    assert read["shop_orders"] == (9, 0, "ingested")
    assert (read["web"], read["web/identify"]) == ((2, 1, "ingested"), (1, 0, "ingested"))


def test_services_described_by_their_vendors_are_read(world: World) -> None:
    if world.without_prism:
        pytest.skip(world.without_prism)
    read = {row["source"]: row["new"] for row in world.answers["ingest"][0]["data"]}

    assert (read["stripe_customers"], read["klaviyo_profiles"]) == (1, 1)
    known = world.call("explain", "identity", "01GDDKASAP8TKDDA2GRZDSVP4H", "email:sarah.mason@klaviyo-demo.com")
    assert known["facts"]["one_person"] is True
    tried = run("doctor", "--online", "stripe_customers", cwd=world.root, **world.keys)
    assert tried.returncode == 0
    assert "long records are cut" in tried.stderr
    assert "values are hidden" in tried.stderr
    assert max(map(len, tried.stderr.splitlines())) < 700


def test_postgres_gave_the_sales(world: World) -> None:
    if not world.is_postgres:
        pytest.skip("needs an installed PostgreSQL; the sales came from a file of SQLite")
    (tried,) = world.answers["doctor --online pos"]
    wrong = world.call("ingest", "pos", code=2, POS_URL=world.keys["POS_URL"].replace("geheim-", "falsch-"))

    assert [row["status"] for row in tried["data"]] == ["ok"] * 4
    assert tried["run"]["records"][0]["value"] == 0.9
    assert wrong["exit"]["reason"] == "sources_refused"
    assert wrong["diagnostics"][0]["why"] == 'password authentication failed for user "pos"'


def test_bad_rows_are_in_quarantine_with_reasons(world: World) -> None:
    found = {
        name: {row["line"]: row["reasons"][0]["reason"] for row in page["data"]}
        for name, (page,) in ((n, world.answers[f"quarantine show {n}"]) for n in ("newsletter", "pos"))
    }

    assert found["newsletter"] == {
        7: "contract `minimum`",
        9: "`signed_up`: it does not fit",
        11: "contract `format`",
        83: "too few fields: 2 instead of 7",
    }
    assert list(found["pos"].values()) == ["contract `minimum`"]


def test_validate_said_so_before(world: World) -> None:
    (row,) = world.answers["validate"][0]["data"]

    assert (row["rows"], row["bad"]) == (83, 4)


def test_people_of_several_systems_are_one(world: World) -> None:
    shopper = world.call("explain", "identity", "shopify_id:101", "KK001")

    assert shopper["facts"]["one_person"] is True
    visitor = world.call("explain", "identity", "dev-81c2-a7", "u-90210")
    assert visitor["facts"]["one_person"] is True


def test_the_wrong_merge_is_named_and_explained(world: World) -> None:
    moves = world.answers["diff --moves"][0]
    (why,) = world.answers["explain identity KK101 KK102"]

    assert moves["notes"] == ["1 move comes from people merged or separated (i1)"]
    assert [(move["change"], move["cause"].split()[0]) for move in moves["data"]] == [("entered", "merged")]
    assert [(step["key"], step["sources"]) for step in why["data"]] == [("phone", ["pos"])]
    assert why["facts"]["one_person"] is True


def test_the_undo_lasts_and_diff_names_it(world: World) -> None:
    moves = world.answers["diff --moves"][1]

    assert [(move["change"], move["cause"].split()[0]) for move in moves["data"]] == [("left", "separated")]
    assert (
        "1 move comes from people merged or separated (i2); `--moves` names the cause of each"
        in (world.answers["diff"][0]["notes"])
    )
    assert world.answers["dedupe again"][0]["facts"]["merged"] == 0
    apart = world.call("explain", "identity", "KK101", "KK102")
    assert apart["facts"]["one_person"] is False
    assert apart["sections"]["decided"][0]["verdict"] == "cannot"


def test_a_missing_key_and_half_a_question_are_told(world: World) -> None:
    world.call("ingest", "shop_orders", code=2, SHOPIFY_TOKEN="")
    world.call("explain", "identity", "KK101", code=2)

    assert "{env: SHOPIFY_TOKEN}" in world.errors[-2]
    assert "`explain identity` needs two identifiers" in world.errors[-1]
