"""How people are recognised: keys with their strength and limits, and what survives in a merged profile."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location

Strength = Literal["strong", "weak", "never"]
Form = Literal["text", "email", "phone", "name", "address"]
Scope = Literal["project", "source"]
Survival = Literal["latest", "first", "most_frequent", "longest", "all", "least_permissive"]

FREQUENCY_CAP = 50
"""A value that more identities have is no identifier (measured: design/identity.md §2)."""
MAX_CLUSTER = 1_000


@dataclass(frozen=True, slots=True)
class KeyRule:
    """One kind of key by which people are recognised.

    Attributes:
        name: Such as ``email``.
        form: How values are made comparable.
        identifiers: Identifier types whose values are keys of this kind.
        traits: Stored traits whose values are.
        together: Traits that make one key only together, such as name and day of birth; instead of the others.
        strength: A strong key joins whoever has it; a weak one only where nothing speaks against it; `never`
            joins nobody, and links that go over it are left out.
        limit: Most values of this kind one profile may have; None for any number.
        cap: A value that more identities have is no identifier.
        scope: `source` when the same value means another person in another source.
        apart: Kinds of keys: a weak key never joins two profiles that both have one of them.
        blocked: Further values that are no identifiers; `*` stands for any characters.
        allowed: Values that are identifiers although they look like placeholders; likewise.
    """

    name: str
    form: Form = "text"
    identifiers: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    strength: Strength = "strong"
    limit: int | None = None
    cap: int = FREQUENCY_CAP
    scope: Scope = "project"
    apart: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Survivorship:
    """Which value of a trait survives when records of one profile differ.

    Attributes:
        rule: `latest` record with a value; `first`; the `most_frequent`; the `longest`; `all` of a list's elements;
            or the `least_permissive` (for consent: false before true).
        sources: Sources in order of trust: the rule decides among the records of the first that has a value.
        order: For `least_permissive` of a text: its values from the least to the most permissive.
    """

    rule: Survival = "latest"
    sources: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


LATEST = Survivorship()


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """Everything `segctl dedupe` goes by.

    Attributes:
        keys: In order of priority.
        exclusive: Sources that are unique by themselves: never two of their people in one profile.
        survivorship: Trait → rule, for those that do not take the latest record.
        country: ISO code for phone numbers and addresses without a country of their own.
        country_trait: Trait that holds the country of a record.
        countries: Source → ISO code.
        given_name: Trait with the given name: a weak key never joins different ones.
        max_cluster: A profile of more identifiers is an error.
        likeness: Also join records that are likely one person; None goes by the last run.
    """

    keys: tuple[KeyRule, ...] = ()
    exclusive: tuple[str, ...] = ()
    survivorship: tuple[tuple[str, Survivorship], ...] = ()
    country: str | None = None
    country_trait: str | None = None
    countries: tuple[tuple[str, str], ...] = ()
    given_name: str | None = None
    max_cluster: int = MAX_CLUSTER
    likeness: bool | None = None

    def allowed(self, form: Form) -> tuple[str, ...]:
        """Values of keys of one form that are no placeholders."""
        return tuple(value for rule in self.keys if rule.form == form for value in rule.allowed)

    def key(self, name: str) -> KeyRule | None:
        """The rule of that name, or None."""
        return next((rule for rule in self.keys if rule.name == name), None)
