"""Personalised content: what a mail is made of, offers by segment, and what products are recommended."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location

Part = Literal["html", "txt"]
Texts = tuple[tuple[str, str], ...]
"""A text by language; the language ``""`` stands for every one."""
ANY_LANGUAGE = ""
RESERVED = (
    "profile_id", "language", "as_of", "segments", "offers", "recommendations", "values", "event", "unsubscribe_url",
    "subject", "preheader",
)  # fmt: skip
"""Names in templates that are no traits."""


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """One file of a template.

    Attributes:
        path: Relative to the project.
        language: Tag in small letters, ``""`` for a file that serves every language.
        part: What it gives.
    """

    path: str
    language: str
    part: Part


@dataclass(frozen=True, slots=True)
class RecentEvents:
    """A list of the newest events of one person, for templates.

    Attributes:
        name: Of the variable.
        event: Kind of the events.
        at_most: Of the list.
        after: Only events after the person's last one of this kind count; None for all.
        per: Only the newest event with each value of this property; None for every event.
    """

    name: str
    event: str
    at_most: int = 10
    after: str | None = None
    per: str | None = None
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ContentTemplate:
    """A message with all its languages and parts.

    Attributes:
        purpose: Of the project's purposes; decides whether a link to unsubscribe is needed. None for no purpose.
        channel: What it is sent by.
        defaults: Trait → text that stands in where a person has no value.
        allowed: Sensitive traits that it may show.
        given: Further names that whoever sends it brings along.
        trigger: Kind of event that sets it off, whose properties are `event`; None for none in particular.
        recent: Lists of events.
        files: In order of their paths.
    """

    name: str
    title: str | None = None
    description: str | None = None
    owner: str | None = None
    purpose: str | None = None
    channel: str = "email"
    defaults: tuple[tuple[str, Texts], ...] = ()
    allowed: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    trigger: str | None = None
    recent: tuple[RecentEvents, ...] = ()
    files: tuple[TemplateFile, ...] = ()
    location: Location | None = field(default=None, compare=False)

    @property
    def languages(self) -> tuple[str, ...]:
        """Of its files, sorted; without ``""``."""
        return tuple(sorted({file.language for file in self.files} - {ANY_LANGUAGE}))

    def file(self, language: str, part: Part) -> TemplateFile | None:
        """The file that gives a part in a language: its own, otherwise the one for every language."""
        found = {file.language: file for file in self.files if file.part == part}
        return found.get(language) or found.get(ANY_LANGUAGE)


@dataclass(frozen=True, slots=True)
class OfferChoice:
    """What members of a segment are offered; of no segment: everybody else."""

    segment: str | None
    texts: tuple[tuple[str, Texts], ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """Choices of which the first whose segment a person is in holds."""

    name: str
    choices: tuple[OfferChoice, ...]
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ProductEvent:
    """Events that tell of a product.

    Attributes:
        product: Property that names it.
        basket: Property that names what was bought together; None for a day's events of one person.
    """

    event: str
    product: str
    basket: str | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list of products for each person.

    Attributes:
        bought: Events that are purchases.
        viewed: Events that are views; None without any.
        at_most: Length of the list.
        half_life_days: After how many days an event counts half.
        window_days: Older events do not count.
        category: Property that holds a product's category.
        exclude_bought: What a person has bought is not recommended again.
        exclude_categories: Values of `category` that are never recommended.
        out_of_stock: File with products that are not to be had, relative to the project.
        fields: Properties that a product in the list has, from its newest event.
    """

    name: str
    bought: ProductEvent
    viewed: ProductEvent | None = None
    at_most: int = 4
    half_life_days: int = 90
    window_days: int = 365
    category: str | None = None
    exclude_bought: bool = True
    exclude_categories: tuple[str, ...] = ()
    out_of_stock: str | None = None
    fields: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LanguageRule:
    """How a person's language is known.

    Attributes:
        trait: That tells it; None where nobody's is known.
        tags: Value of the trait → language tag; a value that is not listed is taken for a tag itself, unless
            `otherwise` says more.
        otherwise: Tag for all other values; None for none.
    """

    trait: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """Everything under `content/`, by name.

    Attributes:
        values: Names of texts that all templates share.
        unsubscribe_url: Template of the address that unsubscribes a person.
        partials: Paths of files that others include, in order.
        unsubscribe_place: Where that address is declared.
    """

    templates: dict[str, ContentTemplate] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    recommendations: dict[str, Recommendation] = field(default_factory=dict)
    values: dict[str, Texts] = field(default_factory=dict)
    language: LanguageRule = LanguageRule()
    unsubscribe_url: str | None = None
    partials: tuple[str, ...] = ()
    unsubscribe_place: Location | None = field(default=None, compare=False, repr=False)


def in_language(texts: Texts, chain: tuple[str, ...]) -> str:
    """The text in the first language of the chain that it has, else in any.

    >>> in_language((("de", "Hallo"), ("en", "Hello")), ("fr", "en"))
    'Hello'
    """
    known = dict(texts)
    return next((known[tag] for tag in (*chain, ANY_LANGUAGE) if tag in known), texts[0][1] if texts else "")


def chain(*tags: str | None) -> tuple[str, ...]:
    """The language tags to try, in order, each followed by its shorter forms.

    >>> chain("de-AT", None, "en")
    ('de-at', 'de', 'en')
    """
    found: dict[str, None] = {}
    for tag in tags:
        parts = [] if not tag else tag.strip().lower().replace("_", "-").split("-")
        for length in range(len(parts), 0, -1):
            found["-".join(parts[:length])] = None
    return tuple(found)
