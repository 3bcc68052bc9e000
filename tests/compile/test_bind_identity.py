"""The block `identity:` of the project file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from segctl.compile.project import bind_project_text
from segctl.model.identity import KeyRule, Survivorship
from segctl.model.project import Project

BASE = """
segctl: 1
identifiers:
  customer_id: {class: known}
  email: {class: known, personal: true}
  device_id: {class: anonymous}
traits:
  first_name: text
  last_name: text
  birth_date: date
  mobile: {type: text, personal: true}
  city: text
  tags: {type: list, of: text}
  newsletter: boolean
  country: text
"""
SCHEMA = Path(__file__).parents[2] / "segctl" / "compile" / "schemas" / "project.json"


def bound(block: str = "") -> tuple[Project, list[str]]:
    project, findings = bind_project_text(BASE + block, Path("/nowhere"))
    return project, [f"{f.code} {f.message}" for f in findings]


def test_keys_follow_from_names_and_classes() -> None:
    project, findings = bound()

    assert findings == []
    assert [(k.name, k.form, k.strength, k.apart) for k in project.identity.keys] == [
        ("customer_id", "text", "strong", ()),
        ("email", "email", "strong", ()),
        ("device_id", "text", "weak", ("customer_id", "email")),
        ("phone", "phone", "weak", ("email",)),
        ("name_birth_date", "name", "weak", ("email",)),
    ]
    assert project.identity.key("phone").traits == ("mobile",)
    assert project.identity.key("name_birth_date").together == ("first_name", "last_name", "birth_date")
    assert (project.identity.country_trait, project.identity.given_name) == ("country", "first_name")


def test_what_is_declared_is_laid_over_it() -> None:
    project, findings = bound(
        """
identity:
  country: DE
  countries: {pos_vienna: AT}
  exclusive: [crm]
  max_cluster: 50
  likeness: true
  keys:
    customer_id: {limit: 1, cap: 9}
    device_id: {strength: never}
    phone: {strength: strong, blocked: ["+49800*"], allowed: ["0123*"], scope: source}
    town: {from: [city], strength: weak, apart: [email]}
  survivorship:
    newsletter: least_permissive
    city: {rule: longest, sources: [crm, shop]}
    tags: all
"""
    )

    rules = project.identity
    assert findings == []
    assert rules.key("customer_id") == KeyRule("customer_id", identifiers=("customer_id",), limit=1, cap=9)
    assert (rules.key("device_id").strength, rules.key("phone").strength) == ("never", "strong")
    assert (rules.key("phone").blocked, rules.key("phone").scope) == (("+49800*",), "source")
    assert rules.allowed("phone") == ("0123*",)
    assert (rules.key("town").traits, rules.key("town").apart) == (("city",), ("email",))
    assert [k.strength for k in rules.keys] == ["strong"] * 3 + ["never", "weak", "weak"]
    assert rules.likeness is True
    assert (rules.country, rules.countries, rules.exclusive, rules.max_cluster) == (
        "DE", (("pos_vienna", "AT"),), ("crm",), 50,
    )  # fmt: skip
    assert dict(rules.survivorship) == {
        "newsletter": Survivorship("least_permissive"),
        "city": Survivorship("longest", ("crm", "shop")),
        "tags": Survivorship("all"),
    }


def test_consent_is_least_permissive_unless_declared_otherwise() -> None:
    base = BASE.replace("  newsletter: boolean", "  newsletter_opt_in: boolean\n  consent_note: text")

    plain, _ = bind_project_text(base, Path("/nowhere"))
    own, _ = bind_project_text(base + "identity: {survivorship: {newsletter_opt_in: latest}}", Path("/nowhere"))

    assert plain.identity.survivorship == (("newsletter_opt_in", Survivorship("least_permissive")),)
    assert own.identity.survivorship == (("newsletter_opt_in", Survivorship("latest")),)


def test_a_trait_with_a_key_of_its_own_leaves_the_common_one() -> None:
    project, findings = bound("identity: {keys: {mobile: {strength: strong}}}")

    assert findings == []
    assert project.identity.key("phone") is None
    assert (project.identity.key("mobile").form, project.identity.key("mobile").strength) == ("phone", "strong")


@pytest.mark.parametrize(
    ("block", "finding"),
    [
        ("identity: {keys: {custmer_id: {}}}", "SEG470 `custmer_id` is not a declared identifier or trait"),
        ("identity: {keys: {x: {from: [citty]}}}", "SEG470 `citty` is not a declared identifier or trait"),
        ("identity: {keys: {x: {together: [citty]}}}", "SEG470 `citty` is not a declared trait"),
        ("identity: {keys: {phone: {apart: [mail]}}}", "SEG470 `mail` is not a declared key"),
        ("identity: {survivorship: {town: latest}}", "SEG470 `town` is not a declared trait"),
        ("identity: {survivorship: {city: all}}", "SEG471 `all` is for a list; `city` is a text"),
        (
            "identity: {survivorship: {newsletter: longest}}",
            "SEG471 `longest` is for a text; `newsletter` is a boolean",
        ),
        (
            "identity: {survivorship: {city: least_permissive}}",
            "SEG471 nobody knows which text of `city` permits least",
        ),
    ],
)
def test_what_does_not_fit_is_named(block: str, finding: str) -> None:
    assert bound(block)[1] == [finding]


@pytest.mark.parametrize(
    "block",
    [
        "identity: {country: Germany}", "identity: {keys: {email: {strength: strongest}}}", "identity: []",
        "identity: {keys: {email: {limit: 0}}}", "identity: {keys: {email: {cap: 1}}}", "identity: {max_cluster: 1}",
        "identity: {key: {}}", "identity: {keys: {email: {as: fax}}}", "identity: {survivorship: {city: newest}}",
    ],
)  # fmt: skip
def test_the_schema_and_the_binder_refuse_the_same_forms(block: str) -> None:
    assert len(bound(block)[1]) == 1
    schema = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    assert list(schema.iter_errors(yaml.safe_load(BASE + block)))
    assert not list(schema.iter_errors(yaml.safe_load(BASE)))
