"""A project with something of everything, and definitions bound in memory: for the tests of all floors.

from builders import a_project, bound, definitions, diagnostics_of

winback = bound("{event: order_completed, count: {at_least: 2}}")           # a Condition
found = definitions({"winback": "where: {trait: country, equals: DE}"})       # Definitions
codes = [d.code for d in diagnostics_of("{trait: contry, equals: DE}")]
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from segctl.compile.definitions import bind_definitions
from segctl.compile.project import bind_project_text
from segctl.compile.source import compose
from segctl.model.conditions import Condition, SegmentDefinition
from segctl.model.diagnostics import Diagnostic, has_errors
from segctl.model.project import Definitions, Project

PROJECT = """
segctl: 1
name: sample
timezone: Europe/Berlin
language: de
identifiers:
  customer_id: {class: known}
  email: {class: known, personal: true}
  device_id: {class: anonymous}
traits:
  first_name: {type: text, personal: true}
  country: {type: text, title: Land}
  city: text
  home_city: text
  tier: text
  email_address: {type: text, personal: true}
  birth_date: {type: date, personal: true}
  customer_since: date
  trial_ends_at: time
  paid_until: time
  newsletter: boolean
  staff: boolean
  points: {type: integer, unit: points}
  visits: integer
  limit: integer
  score: number
  threshold: number
  discount: {type: number, unit: share}
  balance: {type: money, unit: EUR}
  credit_limit: {type: money, unit: EUR}
  balance_usd: {type: money, unit: USD}
  interests: {type: list, of: text}
  lucky_numbers: {type: list, of: integer}
  address: {type: struct, fields: {city: text, zip: text, since: date, floor: integer}}
  company: text
  devices: {type: list, of: {type: struct, fields: {model: text, year: integer, primary: boolean}}}
  machines:
    type: list
    of:
      type: struct
      fields:
        bought: date
        maker: {type: struct, fields: {country: text}}
        parts: {type: list, of: {type: struct, fields: {sku: text, tags: {type: list, of: text}}}}
events:
  page_viewed: {properties: {section: text, seconds: integer, device: text}}
  product_viewed: {properties: {product_id: text, category: text, price: {type: money, unit: EUR}}}
  product_added:
    properties: {product_id: text, category: text, price: {type: money, unit: EUR}, quantity: integer, cart_id: text}
  order_completed:
    properties:
      order_id: text
      cart_id: text
      value: {type: money, unit: EUR}
      discount: {type: number, unit: share}
      coupon: text
      channel: text
      is_gift: boolean
      due: date
      delivered_at: time
      tags: {type: list, of: text}
      shipping: {type: struct, fields: {city: text, weight: number}}
      items: {type: list, of: {type: struct, fields: {sku: text, quantity: integer, price: {type: money, unit: EUR}}}}
  order_refunded: {properties: {order_id: text, value: {type: money, unit: EUR}, reason: text}}
  order_us: {properties: {order_id: text, value: {type: money, unit: USD}, channel: integer}}
  email_delivered: {properties: {mailing_id: text}}
  email_opened: {properties: {mailing_id: text}}
  logged_in: {}
related:
  tickets:
    title: Anfragen
    properties:
      status: text
      priority: integer
      opened_at: time
      due: date
      effort: {type: number, unit: hours}
      fee: {type: money, unit: EUR}
      product: {type: struct, fields: {sku: text, price: {type: money, unit: EUR}}}
  subscriptions: {properties: {plan: text, seats: integer, renews_on: date}}
  colleagues: {title: Kollegen, same: company}
  other_colleagues: {same: company, others_only: true}
purposes:
  newsletter: {title: Newsletter, basis: consent, channels: [email, sms], stale_after: 24 months}
  newsletter.sale: {basis: consent, channels: [email]}
  service: {basis: contract, channels: [email]}
environments: {dev: {}, prod: {workspace: /srv/segctl, population: [known, anonymous]}}
"""
TRAITS = """
traits:
  lifetime_value: {title: Kundenwert, unit: EUR, event: order_completed, sum: {of: value}}
  order_count: {event: order_completed, count: {}}
  last_order_at: {event: order_completed, last: time}
  first_order_at: {event: order_completed, first: time}
  order_gap: {event: order_completed, gap: average}
  order_overdue: {formula: days_since(last_order_at) / order_gap}
  refunded_value: {event: order_refunded, sum: {of: value}}
  return_rate: {formula: refunded_value / lifetime_value, unit: share}
  favourite_category: {event: product_viewed, most_frequent: {of: category}}
  age: {formula: years_since(birth_date)}
"""
SEGMENTS = {
    "staff_members": "where: {trait: staff, equals: true}",
    "good_customers": "where: {trait: lifetime_value, at_least: 500 EUR}",
}


@cache
def a_project() -> Project:
    """The project above; it stands nowhere on disk."""
    project, diagnostics = bind_project_text(PROJECT, Path("/nowhere/sample"))
    assert not diagnostics, diagnostics
    return project


def definitions_of(
    segments: Mapping[str, str], traits: str = TRAITS, project: Project | None = None
) -> tuple[Definitions, list[Diagnostic]]:
    """Definitions and problems of segment files by name (text without its `segment:` line) and one traits file."""
    problems: list[Diagnostic] = []
    roots = []
    for name, text in segments.items():
        node, found = compose(f"segment: {name}\n{text}", f"segments/{name}.yaml")
        problems += found
        roots += [node] if node is not None else []
    trait_root, found = compose(traits, "traits/traits.yaml")
    problems += found
    bound, more = bind_definitions(
        project or a_project(), roots, [trait_root] if trait_root is not None else [], inputs=("shop_orders",)
    )
    return bound, problems + more


def definitions(segments: Mapping[str, str], traits: str = TRAITS, project: Project | None = None) -> Definitions:
    """Definitions that must be right; `SEGMENTS` are there too."""
    found, problems = definitions_of({**SEGMENTS, **segments}, traits, project)
    assert not has_errors(problems), problems
    return found


def diagnostics_of(condition: str, header: str = "") -> list[Diagnostic]:
    """What is wrong with a condition, written in YAML (one line in braces, or a block)."""
    return definitions_of({**SEGMENTS, "tested": f"{header}\nwhere:{_indented(condition)}"})[1]


def bound_segment(text: str) -> SegmentDefinition:
    """A segment that must be right, from the text of its file without the name."""
    return definitions({"tested": text}).segments["tested"]


def bound(condition: str) -> Condition:
    """A condition that must be right."""
    return bound_segment(f"where:{_indented(condition)}").where


def _indented(text: str) -> str:
    return (
        f" {text.strip()}\n"
        if "\n" not in text.strip()
        else "\n" + "\n".join(f"  {line}" for line in text.splitlines())
    )
