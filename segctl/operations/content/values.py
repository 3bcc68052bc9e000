"""What templates are told of people: traits, memberships, events, offers and recommendations, from one evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segctl.compile.lower import lower_trait
from segctl.compile.plan import Output
from segctl.model.content import Content, ContentTemplate, Texts, in_language
from segctl.model.dataclass import dataclass
from segctl.model.errors import DataError
from segctl.model.types import ValueType
from segctl.operations.content.events import events_of, natural

if TYPE_CHECKING:
    from segctl.content.needs import Needs
    from segctl.operations.session import Session

LANGUAGE = "\x00language"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Of people who are in the population.

    Attributes:
        values: Subject as it was asked for → variables.
        languages: Subject → tag, where it is known.
    """

    values: dict[int, dict[str, Any]]
    languages: dict[int, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the files of a template speak of, as far as the project has it."""

    traits: tuple[str, ...]
    segments: tuple[str, ...]
    offers: tuple[str, ...]
    recommendations: tuple[str, ...]
    names: frozenset[str]


def values_of(
    session: Session,
    template: ContentTemplate,
    needed: Sequence[Needs],
    subjects: Sequence[int],
    *,
    as_of: datetime,
    extra: Mapping[int, Mapping[str, Any]],
    tags_of: Callable[[str | None], tuple[str, ...]],
) -> Loaded:
    """The variables of every person, by one evaluation.

    Args:
        session: Open project and workspace.
        template: Whose.
        needed: What its files speak of.
        subjects: Any identifiers of the people.
        as_of: When values and memberships hold.
        extra: Values that whoever sends brings along.
        tags_of: A person's own language → the languages in which texts are looked for, in order.

    Raises:
        DataError: The template shows a sensitive trait that it is not allowed to (SEG770).
    """
    from segctl.content.values import clean

    wanted = wanted_of(session, template, needed)
    snapshot = session.workspace.snapshot()
    owners = owners_of(session, subjects, snapshot)
    people = sorted(set(owners.values()))
    traits, memberships = _evaluated(session, wanted, people, as_of, snapshot)
    languages = _languages(session, traits)
    recent = events_of(session, template, wanted.names, people, as_of=as_of, snapshot=snapshot)
    lists = _recommended(session, wanted, people, as_of)
    local = as_of.astimezone(ZoneInfo(session.project.timezone))
    profile_ids = _profile_ids(session, people, snapshot)
    found: dict[int, dict[str, Any]] = {}
    for subject, owner in owners.items():
        if owner not in traits:
            continue
        own = {name: clean(value) for name, value in extra.get(subject, {}).items()}
        tags = tags_of(languages.get(owner))
        given = dict.fromkeys(template.given) | recent.get(owner, {}) | own
        found[subject] = {
            **_named(session, template, traits[owner], tags),
            **{name: _field(name, value) for name, value in given.items()},
            **_shared(session, wanted, memberships[owner], tags, lists.get(owner, {})),
            "profile_id": profile_ids[owner],
            "as_of": local,
        }
    return Loaded(found, {subject: languages[owner] for subject, owner in owners.items() if owner in languages})


def wanted_of(session: Session, template: ContentTemplate, needed: Iterable[Needs]) -> Wanted:
    """What is to be loaded.

    Raises:
        DataError: A sensitive trait is shown that is not allowed.
    """
    definitions = session.definitions
    content = definitions.content or Content()
    needed = list(needed)
    names = frozenset(mention.name for one in needed for mention in one.names)
    names |= {"profile_id", *template.given}
    traits = {name for name in names if definitions.trait(name) is not None}
    for name in sorted(traits):
        trait = definitions.trait(name)
        if trait is not None and trait.sensitive and name not in template.allowed:
            hint = f"write `allow: [{name}]` in its settings, if that is really meant"
            raise DataError("SEG770", f"`{template.name}` shows the sensitive trait `{name}`", hint=hint)
    offers = sorted({name for one in needed for name in one.of("offers")} & set(content.offers))
    segments = {name for one in needed for name in one.of("segments")}
    segments |= {choice.segment for name in offers for choice in content.offers[name].choices if choice.segment}
    lists = sorted({name for one in needed for name in one.of("recommendations")} & set(content.recommendations))
    known = tuple(sorted(segments & set(definitions.segments)))
    return Wanted(tuple(sorted(traits)), known, tuple(offers), tuple(lists), names)


def owners_of(session: Session, subjects: Iterable[int], snapshot: int) -> dict[int, int]:
    """Subject → subject of its profile."""
    from segctl.state.identity import canonical

    array = canonical(session.workspace, snapshot)
    return {
        int(one): int(one) if array is None or not 0 <= one < len(array) else int(array[int(one)]) for one in subjects
    }


def _evaluated(
    session: Session, wanted: Wanted, people: list[int], as_of: datetime, snapshot: int
) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, bool]]]:
    from segctl.operations.evaluation import evaluate

    rule = (session.definitions.content or Content()).language
    asked = {f"trait:{name}": name for name in wanted.traits}
    if rule.trait is not None:
        asked[LANGUAGE] = rule.trait
    outputs = [
        Output(column, lower_trait(name, session.definitions, lists=session.lists)) for column, name in asked.items()
    ]
    answers = evaluate(session, wanted.segments, as_of=as_of, snapshot=snapshot, outputs=outputs, only=people)
    if answers.failed:
        name, reason = next(iter(answers.failed.items()))
        raise DataError("SEG777", f"the segment `{name}` cannot be decided", why=reason)
    types = {column: _type(session, name) for column, name in asked.items()}
    traits, memberships = {}, {}
    for row in answers.frame.iter_rows(named=True):
        subject = row["subject"]
        traits[subject] = {
            (LANGUAGE if column == LANGUAGE else name): natural(row[column], types[column])
            for column, name in asked.items()
        }
        memberships[subject] = {name: bool(row[name]) for name in wanted.segments}
    return traits, memberships


def _type(session: Session, name: str) -> ValueType:
    trait = session.definitions.trait(name)
    assert trait is not None
    return trait.type


def _named(
    session: Session, template: ContentTemplate, traits: Mapping[str, Any], tags: tuple[str, ...]
) -> dict[str, Any]:
    """Traits by name; the template's default or `missing` where there is no value."""
    from segctl.content.values import missing

    defaults = dict(template.defaults)
    zone = ZoneInfo(session.project.timezone)
    found: dict[str, Any] = {}
    for name, value in traits.items():
        if name == LANGUAGE:
            continue
        if value is None:
            found[name] = in_language(defaults[name], tags) if name in defaults else missing(name)
        else:
            found[name] = value.astimezone(zone) if isinstance(value, datetime) else value
    return found


def _field(name: str, value: Any) -> Any:  # noqa: ANN401 - a value of any type
    from segctl.content.values import Fields, missing

    if value is None:
        return missing(name)
    return Fields(name, value) if isinstance(value, Mapping) else value


def _shared(
    session: Session,
    wanted: Wanted,
    memberships: Mapping[str, bool],
    tags: tuple[str, ...],
    lists: Mapping[str, list[Any]],
) -> dict[str, Any]:
    """Memberships, the offers and texts that hold for a person, and the products recommended."""
    from segctl.content.values import Fields, Memberships

    content = session.definitions.content or Content()
    offers = {}
    for name in wanted.offers:
        choices = content.offers[name].choices
        chosen = next(one for one in choices if one.segment is None or memberships.get(one.segment))
        offers[name] = Fields(f"offers.{name}", _texts(dict(chosen.texts), tags))
    return {
        "segments": Memberships(memberships),
        "offers": Fields("offers", offers),
        "values": Fields("values", _texts(content.values, tags)),
        "recommendations": Fields("recommendations", {name: lists.get(name, []) for name in wanted.recommendations}),
    }


def _texts(texts: Mapping[str, Texts], tags: tuple[str, ...]) -> dict[str, str]:
    return {name: in_language(of, tags) for name, of in texts.items()}


def _languages(session: Session, traits: Mapping[int, Mapping[str, Any]]) -> dict[int, str]:
    """Tag of everybody whose language is known."""
    rule = (session.definitions.content or Content()).language
    tags = dict(rule.tags)
    found = {}
    for subject, values in traits.items():
        value = values.get(LANGUAGE)
        said = None if value is None else str(value)
        tag = tags.get(said or "", rule.otherwise or (said if not tags else None))
        if tag is not None:
            found[subject] = tag.lower().replace("_", "-")
    return found


def _recommended(
    session: Session, wanted: Wanted, people: list[int], as_of: datetime
) -> dict[int, dict[str, list[Any]]]:
    if not wanted.recommendations:
        return {}
    from segctl.operations.recommendations import recommended

    found: dict[int, dict[str, list[Any]]] = {}
    for name in wanted.recommendations:
        for subject, products in recommended(session, name, people, as_of=as_of).items():
            found.setdefault(subject, {})[name] = products
    return found


def _profile_ids(session: Session, people: list[int], snapshot: int) -> dict[int, str]:
    from segctl.operations.people import profile_ids

    ids = profile_ids(session.workspace, snapshot)
    return {one: str(ids[one]) for one in people if 0 <= one < len(ids)}


def stand_in(title: str, value: Any) -> Any:  # noqa: ANN401 - a value of any type
    """What stands for a personal value: the trait's title for a text, a fixed value of the same kind for others."""
    from decimal import Decimal

    from jinja2 import Undefined

    from segctl.content.values import Amount

    if isinstance(value, Undefined | bool):
        return value
    if isinstance(value, datetime):
        return value.replace(year=2000, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    if isinstance(value, date):
        return date(2000, 1, 1)
    if isinstance(value, Decimal):
        return Amount.of(Decimal(0), getattr(value, "unit", None))
    if isinstance(value, int | float):
        return 0
    return [f"‹{title}›"] if isinstance(value, list) else f"‹{title}›"
