"""Joining records that are likely one person: the fuzzy engine over profile records, under the same limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from segctl.identity.fuzzy import FuzzyModel, FuzzySettings
    from segctl.identity.resolve import Resolution
    from segctl.model.identity import IdentityRules
    from segctl.model.project import Project
    from segctl.operations.identity_input import Known
    from segctl.operations.progress import Progress

KEY = "fuzzy"
_ROLES = (
    ("given_name", r"first_?name|given_?name|vorname"),
    ("surname", r"last_?name|surname|family_?name|nachname"),
    ("full_name", r"(?:full_?)?name"),
    ("birth_date", r"birth_?date|date_of_birth|dob|born|birthday|geburts(?:datum|tag)"),
    ("postcode", r"post_?code|postal_?code|zip(?:_code)?|plz|postleitzahl"),
    ("city", r"city|town|ort|stadt|wohnort"),
    ("street", r"street|address|address_?1|stra(?:ss|ß)e|strasse|adresse"),
    ("house_number", r"house_?(?:number|no)|hausnummer|hausnr"),
    ("email", r"e_?mail(?:_address)?|mail"),
    ("phone", r"(?:tele)?phone(?:_number)?|mobile(?:_phone)?|telefon(?:nummer)?|handy|mobil"),
    ("gender", r"gender|sex|geschlecht|anrede|salutation"),
)


def roles_of(project: Project) -> dict[str, str]:
    """What each trait says about a person, by its name; traits that say nothing have no entry."""
    found = {}
    for trait in project.traits:
        role = next((role for role, form in _ROLES if re.fullmatch(form, trait.name)), None)
        if role is not None:
            found[trait.name] = role
    return found


def required_roles(project: Project) -> dict[str, str]:
    """`roles_of`, and an error where there is none.

    Raises:
        UsageError: No trait says anything about a person.
    """
    roles = roles_of(project)
    if not roles:
        raise UsageError(
            "SEG479",
            "no trait of the project says anything about a person",
            hint="declare traits such as `first_name`, `last_name`, `birth_date`, `postcode`",
        )
    return roles


def with_likely(everything: Known, found: Resolution, progress: Progress) -> tuple[Resolution, FuzzyModel]:
    """The resolution with likely pairs joined, doubtful ones and households held; and what was learnt.

    Raises:
        UsageError: No trait says anything about a person.
    """
    from dataclasses import replace

    import polars as pl

    from segctl.identity.fuzzy import Constraints, match
    from segctl.identity.guards import Edges
    from segctl.identity.resolve import HELD, further

    roles = required_roles(everything.project)
    frame = records_of(everything, roles)
    frame = frame.with_columns(pl.Series(found.labels).gather(frame["subject"]).alias("cluster"))
    one_each = tuple(name for name in frame.columns if name.startswith(":"))
    progress.start("compare", total=None, unit="records")
    cannot = None
    if found.cannot is not None:
        cannot = pl.DataFrame({"left": found.cannot[0], "right": found.cannot[1]}).cast(pl.Int32)
    constraints = Constraints(group="cluster", one_each=one_each, cannot=cannot)
    settings = settings_of(everything.rules)
    likely = match(frame, roles, settings, record="subject", constraints=constraints)
    progress.advance(frame.height)
    progress.finish()
    number = len(everything.rules.keys)
    left, right = (likely.links[end].cast(pl.Int64).to_numpy() for end in ("left", "right"))
    edges = Edges.of(left, right, number, 0.0)
    edges = replace(edges, weight=likely.links["bits"].cast(pl.Float64).to_numpy())
    joined = further(found, edges)
    doubtful = [
        rows.select(
            pl.lit(KEY).alias("key"),
            (pl.col("probability").round(3).cast(pl.String)).alias("value"),
            pl.col("left", "right").cast(pl.Int64),
            pl.lit(said).alias("reason") + pl.col("why"),
        ).cast(dict(HELD))  # type: ignore[arg-type]  # a dictionary of types is one
        for rows, said in ((likely.review, "likely: "), (likely.related, "related: "))
    ]
    held = pl.concat([joined.held, *doubtful]).unique(maintain_order=True)
    return replace(joined, held=held), likely.model


def settings_of(rules: IdentityRules) -> FuzzySettings:
    """How the engine is set by the project's rules."""
    from segctl.identity.fuzzy import FuzzySettings

    return FuzzySettings(country=rules.country, allowed=(*rules.allowed("email"), *rules.allowed("phone")))


def records_of(everything: Known, roles: Mapping[str, str]) -> pl.DataFrame:
    """One row per subject with a profile record: ``subject``, its traits, its exclusive sources as ``:source``."""
    import polars as pl

    records = known_traits(everything, list(roles))
    exclusive = everything.rules.exclusive
    return records.group_by("subject").agg(
        *(pl.col(name).drop_nulls().last() for name in roles),
        *(pl.when((pl.col("source") == name).any()).then(pl.lit(name)).alias(f":{name}") for name in exclusive),
    ).sort("subject")  # fmt: skip


def known_traits(everything: Known, names: list[str]) -> pl.DataFrame:
    """Valid records with some traits, oldest first."""
    import polars as pl

    from segctl.engines.profiles import live_records
    from segctl.operations.evaluation import record_files

    types = {trait.name: trait.type for trait in everything.project.traits if trait.name in names}
    workspace = everything.workspace
    frame = live_records(record_files(workspace, workspace.snapshot()), as_of=everything.now, traits=types)
    frame = frame.sort("valid", "arrival", "source")
    return frame.select("subject", "source", *(pl.col(f"trait:{name}").cast(pl.String).alias(name) for name in names))
