"""JUnit of `segctl validate`: well-formed whatever the data hold, with sums that agree and red where the exit is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_process import Finished

PROJECT = "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {city: text}\n"
SOURCE = "source: crm\npath: crm.ndjson\nkey: {customer_id: id}\nprofiles: {city: ort}\nmax_bad_rows: 0\n"
Run = Callable[..., Finished]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT)
    (tmp_path / "sources" / "crm.yaml").write_text(SOURCE + "contract: {additionalProperties: {type: string}}\n")
    (tmp_path / "crm.ndjson").write_text('{"id": "1", "ort": "Bonn", "\\ufffe\\u0001<&\\"": 1}\n', encoding="utf-8")
    return tmp_path


def test_hostile_names_of_columns_are_well_formed_and_the_sums_agree(run: Run, project: Path) -> None:
    done = run("validate", "-f", "junit", cwd=project)

    root = ET.fromstring(done.out)
    assert done.code == 1
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["definitions", "crm"]
    for element in (root, *root):
        assert int(element.get("tests", "")) == len(list(element.iter("testcase")))
        assert int(element.get("failures", "")) == len(list(element.iter("failure")))
    assert all(case.get("classname") and case.get("name") for case in root.iter("testcase"))
    assert any("<&" in str(case.get("name")) for case in root.iter("testcase"))


def test_errors_in_definitions_are_red(run: Run, project: Path) -> None:
    (project / "sources" / "crm.yaml").write_text(SOURCE + "contract: {properties: {id: {type: strin}}}\n")

    done = run("validate", "-f", "junit", cwd=project)

    [failure] = ET.fromstring(done.out).iter("failure")
    assert done.code == 1
    assert "strin" in str(failure.get("message"))
