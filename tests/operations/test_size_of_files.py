"""`segctl size FILE` of a file that makes several segments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from end_to_end.program import ok, run

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, points: integer}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\n"
    "profiles: {country: land, points: punkte}\n",
    "crm.csv": "nr,land,punkte\n1,DE,1\n2,DE,2\n3,AT,3\n4,CH,4\n",
    "segments/all.yaml": "segment: all\nwhere: {trait: country, exists: true}\n",
    "draft.yaml": "segment: from_{land}\nfor_each: {land: [DE, AT, CH, FR]}\n"
    'where: {all: [{trait: country, equals: "{land}"}, {segment: all}]}\nkeep: {top: 1, by: points}\n',
    "chain.yaml": "segment: from_{land}\nfor_each: [{land: de, of: DE, other: at}, {land: at, of: AT, other: de}]\n"
    'where: {any: [{trait: country, equals: "{of}"}, {segment: "from_{other}"}]}\n',
    "wrong.yaml": 'segment: from_{land}\nfor_each: {land: [DE]}\nwhere: {trait: cuntry, equals: "{land}"}\n',
    "twice.yaml": 'segment: from_{land}\nfor_each: {land: [DE, DE]}\nwhere: {trait: country, equals: "{land}"}\n',
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    ok("ingest", cwd=folder)
    return folder


def test_each_segment_of_the_file_is_counted(shop: Path) -> None:
    found = json.loads(ok("size", "draft.yaml", "-f", "json", cwd=shop))

    assert found["schema"] == "segctl/sizes/1"
    assert [tuple(row.values()) for row in found["data"]] == [
        ("from_de", 1, 2), ("from_at", 1, 1), ("from_ch", 1, 1), ("from_fr", 0, 0),
    ]  # fmt: skip
    assert found["facts"]["profiles"] == 4


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("wrong.yaml", "error[SEG204]"),
        ("twice.yaml", "error[SEG219]: the segment `from_de` is defined twice"),
        ("chain.yaml", "error[SEG224]"),
    ],
)
def test_findings_of_the_file_are_told(shop: Path, file: str, said: str) -> None:
    done = run("size", file, cwd=shop)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "nothing was counted" in done.stderr
    assert "SEG269" not in done.stderr
