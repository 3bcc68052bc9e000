"""What `table:` of a source may say."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from segctl.compile.sources import bind_source_text
from segctl.model.fetching_table import TableFetch
from segctl.model.project import Project
from segctl.model.secrets import Secret, forget
from segctl.operations.project import bound_project

PROJECT = "segctl: 1\nname: t\nidentifiers:\n  customer_id: {class: known}\ntraits:\n  city: text\n"
HEAD = "source: s\nkind: table\nkey: {customer_id: who}\nprofiles: {city: city}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    return bound_project(tmp_path, env=None)[0]


def schema_takes(text: str) -> bool:
    schema = json.loads(files("segctl.compile.schemas").joinpath("source.json").read_text(encoding="utf-8"))
    return bool(jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(text)))


def test_every_setting_is_bound(project: Project) -> None:
    text = HEAD + (
        "table:\n  format: iceberg\n  snapshot: 7600981251338096399\n  table: shop.orders\n"
        "  catalog: {type: sql, uri: {env: URI}}\n  options: {s3.secret-access-key: {file: key.txt}, s3.region: eu}\n"
    )

    source, found = bind_source_text(text, "s.yaml", project)

    assert not found
    assert source is not None
    assert schema_takes(text)
    assert source.fetch == TableFetch(
        "iceberg",
        version=7600981251338096399,
        table="shop.orders",
        catalog=(("type", "sql"), ("uri", Secret("env", ("URI",)))),
        options=(("s3.secret-access-key", Secret("file", ("key.txt",))), ("s3.region", "eu")),
    )


@pytest.mark.parametrize(
    ("block", "code", "said"),
    [
        ("", "SEG300", "has the key `table`"),
        ("table: {path: a}\n", "SEG300", "needs a `format`"),
        ("table: {format: hudi, path: a}\n", "SEG304", "hudi"),
        ("table: {format: delta}\n", "SEG300", "needs one place"),
        ("table: {format: delta, path: a, table: b.c}\n", "SEG303", "for Iceberg"),
        ("table: {format: iceberg, table: b.c}\n", "SEG300", "both `catalog` and `table`"),
        ("table: {format: iceberg, path: a, table: b.c, catalog: {type: sql}}\n", "SEG300", "needs one place"),
        ("table: {format: delta, path: a, version: newest}\n", "SEG304", "whole number"),
        ("table: {format: delta, path: a, version: 99999999999999999999}\n", "SEG304", "whole number"),
        ("table: {format: delta, path: a, version: 1, snapshot: 2}\n", "SEG303", "say the same"),
        ("table: {format: parquet, path: a, version: 1}\n", "SEG303", "keeps no versions"),
        ("table: {format: parquet, path: s3://b/a}\n", "SEG303", "from a disk"),
        ("table: {format: delta, path: a, cursor: b}\n", "SEG300", "`cursor` is no key"),
        ("table: {format: delta, path: a, options: [b]}\n", "SEG300", "keys with values"),
        ("table: {format: delta, path: a}\ncsv: {delimiter: ;}\n", "SEG303", "is for files"),
    ],
)
def test_mistakes_are_named_at_their_place(project: Project, block: str, code: str, said: str) -> None:
    source, found = bind_source_text(HEAD + block, "s.yaml", project)

    assert source is None
    assert any(each.code == code and said in each.message for each in found), [each.message for each in found]


@pytest.mark.parametrize(
    "option",
    [
        "AWS_SECRET_ACCESS_KEY: planted-value",
        "s3.secret-access-key: planted-value",
        "azure_storage_account_key: planted-value",
        "AZURE_STORAGE_SAS_TOKEN: planted-value",
        "uri: 'postgresql://reader:planted-value@host/lake'",
    ],
)
def test_a_secret_that_is_written_out_is_refused_and_masked(project: Project, option: str) -> None:
    text = HEAD + f"table:\n  format: delta\n  path: s3://b/t\n  options:\n    {option}\n"

    source, found = bind_source_text(text, "s.yaml", project)
    forget()

    assert source is None
    assert [each.code for each in found] == ["SEG370"]
    assert "planted" not in repr([(each.message, each.hint) for each in found])


@pytest.mark.parametrize("option", ["AWS_ACCESS_KEY_ID: AKIA", "AWS_REGION: eu", "s3.path-style-access: true"])
def test_what_is_no_secret_may_be_written(project: Project, option: str) -> None:
    text = HEAD + f"table:\n  format: delta\n  path: s3://b/t\n  options:\n    {option}\n"

    assert not bind_source_text(text, "s.yaml", project)[1]
    assert schema_takes(text)
