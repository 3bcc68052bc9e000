"""`segctl.yaml`: found upwards, bound for one environment, with all that is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import a_project

from segctl.compile.project import bind_project_text, find_project, load_project
from segctl.model.diagnostics import Diagnostic
from segctl.model.errors import UsageError
from segctl.model.project import IdentifierType, Project
from segctl.model.types import BOOLEAN, DATE, INTEGER, TEXT, Kind, ValueType

HEAD = "segctl: 1\nname: shop\n"


def bound(text: str, env: str | None = None) -> tuple[Project, list[Diagnostic]]:
    return bind_project_text(HEAD + text, Path("/srv/shop"), env)


def good(text: str, env: str | None = None) -> Project:
    project, problems = bound(text, env)
    assert problems == []
    return project


def test_a_project_is_found_upwards(tmp_path: Path) -> None:
    (tmp_path / "segctl.yaml").write_text(HEAD)
    inner = tmp_path / "segments" / "eu"
    inner.mkdir(parents=True)

    assert find_project(inner) == tmp_path
    assert load_project(inner)[0].root == str(tmp_path)


def test_the_search_stops_at_a_repository_and_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "segctl.yaml").write_text(HEAD)
    repository, home = tmp_path / "repository", tmp_path / "home"
    for folder in (repository / ".git", repository / "a", home / "b"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))

    assert find_project(repository / "a") is None
    assert find_project(home / "b") is None
    (repository / "segctl.yaml").write_text(HEAD)
    assert find_project(repository / "a") == repository


def test_without_a_project_the_message_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "segctl.yml").write_text(HEAD)

    with pytest.raises(UsageError) as raised:
        load_project(tmp_path)

    assert raised.value.code == "SEG105"
    assert raised.value.hint == "rename `segctl.yml` to `segctl.yaml`"


@pytest.mark.parametrize("text", ["", "- a", "a: [", "just text"])
def test_an_unreadable_project_file_raises_with_its_findings(tmp_path: Path, text: str) -> None:
    (tmp_path / "segctl.yaml").write_text(text)

    with pytest.raises(UsageError) as raised:
        load_project(tmp_path)

    assert raised.value.code == "SEG121"
    assert raised.value.diagnostics


def test_defaults() -> None:
    project = good("")

    assert (project.timezone, project.language, project.environment) == ("UTC", "en", "dev")
    assert project.workspace == "/srv/shop/.segctl/dev"
    assert (project.population, project.keep_landed_days) == (("known",), 30)


def test_an_environment_overrides_settings() -> None:
    text = """workspace: data
population: [known]
keep_landed: 2 weeks
environments:
  dev:
  prod: {workspace: /srv/data, population: [known, anonymous], keep_landed: 0 days}
"""
    dev, prod = good(text), good(text, "prod")

    assert (dev.workspace, dev.population, dev.keep_landed_days) == ("/srv/shop/data/dev", ("known",), 14)
    assert (prod.workspace, prod.keep_landed_days) == ("/srv/data/prod", 0)
    assert prod.population == ("known", "anonymous")


def test_without_dev_the_first_environment_is_the_default() -> None:
    assert good("environments: {test: {}, prod: {}}").environment == "test"


@pytest.mark.parametrize(("text", "env"), [("environments: {dev: {}, prod: {}}", "prd"), ("", "prod")])
def test_an_unknown_environment_is_refused(text: str, env: str) -> None:
    with pytest.raises(UsageError) as raised:
        bound(text, env)

    assert raised.value.code == "SEG122"
    assert "`prod`" in f"{raised.value.hint} {raised.value.message}"


def test_every_type_is_bound() -> None:
    project = a_project()
    types = {trait.name: trait.type for trait in project.traits}
    properties = dict(next(event for event in project.events if event.name == "order_completed").properties)

    assert types["country"] == TEXT
    assert types["points"] == ValueType(Kind.INTEGER, unit="points")
    assert types["score"] == ValueType(Kind.NUMBER, 6)
    assert types["balance"] == ValueType(Kind.MONEY, 2, "EUR")
    assert types["interests"] == ValueType(Kind.LIST, element=TEXT)
    assert types["address"] == ValueType(
        Kind.STRUCT, fields=(("city", TEXT), ("zip", TEXT), ("since", DATE), ("floor", INTEGER))
    )
    assert types["devices"].element == ValueType(
        Kind.STRUCT, fields=(("model", TEXT), ("year", INTEGER), ("primary", BOOLEAN))
    )
    assert properties["items"].element is not None
    assert dict(properties["items"].element.fields)["price"] == ValueType(Kind.MONEY, 2, "EUR")


def test_scale_round_and_words() -> None:
    project = good("traits: {a: {type: money, unit: EUR, scale: 4, round: true, title: A, description: B}}")

    (trait,) = project.traits
    assert trait.type == ValueType(Kind.MONEY, 4, "EUR")
    assert trait.type.rounds
    assert (trait.title, trait.description, trait.personal, trait.sensitive) == ("A", "B", False, False)


def test_identifiers_keep_their_order() -> None:
    assert a_project().identifiers == (
        IdentifierType("customer_id"),
        IdentifierType("email", personal=True),
        IdentifierType("device_id", "anonymous"),
    )


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("timezone: Europe/Berln", "SEG124", "`Europe/Berlin`"),
        ("timezone: Berlin", "SEG124", "`Europe/Berlin`"),
        ("timezone: ../../etc/passwd", "SEG124", "IANA"),
        ("timezone: /etc/passwd", "SEG124", "IANA"),
        ('timezone: ""', "SEG212", ""),
        ("language: fr", "SEG212", "`de`"),
        ("zeitzone: UTC", "SEG210", "`timezone`"),
        ("trait: {a: text}", "SEG210", "`traits`"),
        ("population: [all]", "SEG212", "`known`"),
        ("population: known", "SEG212", "[known]"),
        ("keep_landed: 30 Tage", "SEG233", "30 days"),
        ("keep_landed: 1 month", "SEG233", "30 days"),
        ("traits: {a: txt}", "SEG125", "`text`"),
        ("traits: {a: string}", "SEG125", "`text`"),
        ("traits: {a: real}", "SEG125", ""),
        ("traits: {a: list}", "SEG211", "of: text"),
        ("traits: {a: {type: list, of: {type: list, of: text}}}", "SEG125", "struct"),
        ("traits: {a: {type: text, unit: EUR}}", "SEG210", ""),
        ("traits: {a: {typ: text}}", "SEG210", "`type`"),
        ("traits: {a: {type: money, scale: 10}}", "SEG230", ""),
        ("traits: {a: {type: text, personal: ja}}", "SEG212", ""),
        ("traits: {a: {event: x, count: {}}}", "SEG262", "`traits/`"),
        ("traits: {Größe: text}", "SEG217", "`groesse`"),
        ("traits: {First Name: text}", "SEG217", "`first_name`"),
        ("traits: {1st: text}", "SEG217", "small letter"),
        ("traits: {profile_id: text}", "SEG126", ""),
        ("traits: {a: text, a: date}", "SEG202", ""),
        ("events: {a: {properties: {time: text}}}", "SEG126", ""),
        ("events: {a: {properties: {b: [text]}}}", "SEG212", ""),
        ("events: {a: {propertys: {b: text}}}", "SEG210", "`properties`"),
        ("identifiers: {email: known}", "SEG212", "{class: known}"),
        ("environments: {dev: {timezone: UTC}}", "SEG210", ""),
        ("environments: {Prod Eu: {}}", "SEG217", "`prod_eu`"),
    ],
)
def test_a_mistake_is_told_and_the_rest_is_bound(text: str, code: str, hint: str) -> None:
    project, problems = bound(text)

    assert code in [d.code for d in problems]
    assert hint in " ".join(d.hint or "" for d in problems)
    assert all(d.location is not None and d.location.file == "segctl.yaml" for d in problems)
    assert project.name == "shop"


def test_an_unknown_version_is_refused() -> None:
    _, problems = bind_project_text("segctl: 2\nname: x", Path("/x"))

    assert [d.code for d in problems] == ["SEG123"]
