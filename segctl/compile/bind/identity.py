"""The block `identity:` of the project file, laid over what follows from the declared identifiers and traits."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import cast

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import nearest
from segctl.model.identity import Form, IdentityRules, KeyRule, Strength, Survival, Survivorship
from segctl.model.identity import Scope as KeyScope
from segctl.model.project import Project
from segctl.model.types import Kind

KEYS = (
    "country", "countries", "country_trait", "given_name", "keys", "exclusive", "survivorship", "max_cluster",
    "likeness",
)  # fmt: skip
KEY_KEYS = ("from", "together", "as", "strength", "limit", "cap", "scope", "apart", "blocked", "allowed")
SURVIVORSHIP_KEYS = ("rule", "sources", "order")
_STRENGTHS, _SCOPES = ("strong", "weak", "never"), ("project", "source")
_FORMS = ("text", "email", "phone", "name", "address")
_RULES = ("latest", "first", "most_frequent", "longest", "all", "least_permissive")
_COUNTRY = re.compile(r"[A-Z]{2}")
_EMAIL = re.compile(r"e_?mail|mail|e_?mail_(?:address|adresse)|(?:private|contact|primary)_e_?mail")
_PHONE = re.compile(
    r"(?:tele)?phone(?:_number)?|mobile(?:_phone|_number)?|telefon(?:nummer)?|tel|handy(?:nummer)?|mobil(?:nummer)?"
    r"|(?:home|work|cell)_?phone|cell"
)
# A merge never makes consent, so such a truth is true only where every source says so.
_CONSENT = re.compile(r"(?:\w+_)?(?:consent|opt_?in|einwilligung)(?:_\w+)?")
_GIVEN = ("first_name", "given_name", "firstname", "vorname")
_SURNAME = ("last_name", "surname", "family_name", "lastname", "nachname")
_BORN = ("birth_date", "birthdate", "date_of_birth", "dob", "born", "birthday", "geburtsdatum", "geburtstag")
_LAND = ("country", "country_code", "land")


def identity(node: Mapping, project: Project, scope: Scope) -> IdentityRules:
    """How people of this project are recognised."""
    rules = default_rules(project)
    declared = node.get("identity")
    if declared is None or (isinstance(declared, Scalar) and declared.is_null and declared.comment is None):
        return rules
    block = forms.mapping(declared, scope, "`identity`")
    if block is None:
        return rules
    forms.check_keys(block, KEYS, scope, "`identity`")
    rules = replace(
        rules,
        country=_country(block.get("country"), scope) or rules.country,
        countries=_countries(block.get("countries"), scope),
        country_trait=_trait(block.get("country_trait"), project, scope) or rules.country_trait,
        given_name=_trait(block.get("given_name"), project, scope) or rules.given_name,
        exclusive=_texts(block.get("exclusive"), scope, "`exclusive`"),
        survivorship=_with_consent(_survivorship(block.get("survivorship"), project, scope), rules),
    )
    most = block.get("max_cluster")
    number = forms.count(most, scope, "`max_cluster`", least=2) if most is not None else None
    rules = rules if number is None else replace(rules, max_cluster=number)
    likeness = block.get("likeness")
    if likeness is not None:
        rules = replace(rules, likeness=forms.flag(likeness, scope, "`likeness`"))
    return _with_keys(rules, block.get("keys"), project, scope)


def default_rules(project: Project) -> IdentityRules:
    """What follows from names and classes: e-mail strong, ids of known people strong, devices and phones weak."""
    texts = {trait.name for trait in project.traits if trait.type.kind is Kind.TEXT}
    every = {trait.name for trait in project.traits}
    emails = _named(_EMAIL, (i.name for i in project.identifiers)), _named(_EMAIL, sorted(texts))
    phones = _named(_PHONE, (i.name for i in project.identifiers)), _named(_PHONE, sorted(texts))
    taken = {*emails[0], *phones[0]}
    others = [i for i in project.identifiers if i.name not in taken]
    rules = [KeyRule(i.name, identifiers=(i.name,)) for i in others if i.identifier_class == "known"]
    known = tuple(rule.name for rule in rules)
    has_email = any(emails)
    if has_email:
        rules.append(KeyRule("email", "email", *emails))
    people = (*known, "email") if has_email else known
    rules += [
        KeyRule(i.name, identifiers=(i.name,), strength="weak", apart=people)
        for i in others
        if i.identifier_class != "known"
    ]
    apart = ("email",) if has_email else known
    if any(phones):
        rules.append(KeyRule("phone", "phone", *phones, strength="weak", apart=apart))
    given, surname, born = (_first(names, every) for names in (_GIVEN, _SURNAME, _BORN))
    if given and surname and born:
        together = (given, surname, born)
        rules.append(KeyRule("name_birth_date", "name", together=together, strength="weak", apart=apart))
    truths = [trait.name for trait in project.traits if trait.type.kind is Kind.BOOLEAN]
    consent = tuple((name, Survivorship("least_permissive")) for name in truths if _CONSENT.fullmatch(name))
    return IdentityRules(
        keys=tuple(rules), country_trait=_first(_LAND, texts), given_name=given, survivorship=consent
    )  # fmt: skip


def _named(pattern: re.Pattern[str], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if pattern.fullmatch(name))


def _first(names: Iterable[str], known: Collection[str]) -> str | None:
    return next((name for name in names if name in known), None)


# --- Keys -------------------------------------------------------------------------------------------------
def _with_keys(rules: IdentityRules, node: Node | None, project: Project, scope: Scope) -> IdentityRules:
    """Declared keys in the place of those that they name; further ones behind those of their strength."""
    found = forms.mapping(node, scope, "`keys`") if node is not None else None
    if found is None:
        return rules
    names = {rule.name for rule in rules.keys} | {key.text for key, _ in found.entries}
    keys = {rule.name: rule for rule in rules.keys}
    for key, value in found.entries:
        if forms.name(key, scope, "a key") is None:
            continue
        rule = _key(key, value, keys.get(key.text), names, project, scope)
        if rule is not None:
            keys[key.text] = rule
    # What was given a name of its own is no longer part of the key that would have had it.
    own = {source for key, _ in found.entries if (r := keys.get(key.text)) for source in (*r.identifiers, *r.traits)}
    declared = {key.text for key, _ in found.entries}
    freed = [rule if rule.name in declared else _without(rule, own) for rule in keys.values()]
    kept = [rule for rule in freed if rule.identifiers or rule.traits or rule.together]
    return replace(rules, keys=tuple(sorted(kept, key=lambda rule: rule.strength != "strong")))


def _without(rule: KeyRule, own: set[str]) -> KeyRule:
    return replace(
        rule,
        identifiers=tuple(name for name in rule.identifiers if name not in own),
        traits=tuple(name for name in rule.traits if name not in own),
    )


def _key(
    key: Scalar, node: Node, before: KeyRule | None, names: set[str], project: Project, scope: Scope
) -> KeyRule | None:
    what = f"the key `{key.text}`"
    found = forms.mapping(node, scope, what, hint="write `{strength: weak}`")
    if found is None or not forms.check_keys(found, KEY_KEYS, scope, what):
        return None
    rule = before or KeyRule(key.text, _form_of(key.text), location=key.location)
    rule = _with_sources(rule, key, found, before is None, project, scope)
    for word, options in (("strength", _STRENGTHS), ("scope", _SCOPES), ("as", _FORMS)):
        value = found.get(word)
        chosen = forms.choice(value, options, scope, f"`{word}`") if value is not None else None
        if chosen is None:
            continue
        if word == "strength":
            rule = replace(rule, strength=cast("Strength", chosen))
        elif word == "scope":
            rule = replace(rule, scope=cast("KeyScope", chosen))
        else:
            rule = replace(rule, form=cast("Form", chosen))
    limit, cap = (_count(found.get(word), scope, f"`{word}`", least) for word, least in (("limit", 1), ("cap", 2)))
    rule = replace(rule, limit=limit or rule.limit, cap=cap or rule.cap, location=key.location)
    if found.get("blocked") is not None:
        rule = replace(rule, blocked=_texts(found.get("blocked"), scope, "`blocked`"))
    if found.get("allowed") is not None:
        rule = replace(rule, allowed=_texts(found.get("allowed"), scope, "`allowed`"))
    apart = found.get("apart")
    if apart is not None:
        rule = replace(rule, apart=_known(apart, names, scope, "`apart`", "key"))
    return rule


def _with_sources(
    rule: KeyRule,
    key: Scalar,
    found: Mapping,
    is_new: bool,
    project: Project,
    scope: Scope,
) -> KeyRule:
    identifiers, traits = [i.name for i in project.identifiers], [t.name for t in project.traits]
    listed, together = found.get("from"), found.get("together")
    if together is not None:
        names = _known(together, traits, scope, "`together`", "trait")
        form: Form = rule.form if rule.form != "text" else "name"
        return replace(rule, form=form, together=names, identifiers=(), traits=())
    if listed is not None:
        names = _known(listed, [*identifiers, *traits], scope, "`from`", "identifier or trait")
    elif is_new:
        names = _known_one(key, [*identifiers, *traits], scope, "identifier or trait")
    else:
        return rule
    return replace(
        rule,
        identifiers=tuple(name for name in names if name in identifiers),
        traits=tuple(name for name in names if name not in identifiers),
    )


def _form_of(name: str) -> Form:
    return "email" if _EMAIL.fullmatch(name) else "phone" if _PHONE.fullmatch(name) else "text"


def _with_consent(
    declared: tuple[tuple[str, Survivorship], ...], rules: IdentityRules
) -> tuple[tuple[str, Survivorship], ...]:
    """Declared rules, and those that follow from names for the traits they leave out."""
    named = {trait for trait, _ in declared}
    return (*declared, *(pair for pair in rules.survivorship if pair[0] not in named))


# --- What survives ----------------------------------------------------------------------------------------
def _survivorship(node: Node | None, project: Project, scope: Scope) -> tuple[tuple[str, Survivorship], ...]:
    found = forms.mapping(node, scope, "`survivorship`") if node is not None else None
    bound = []
    for key, value in found.entries if found is not None else ():
        if not _known_one(key, [t.name for t in project.traits], scope, "trait"):
            continue
        rule = _survivor(key, value, scope)
        if rule is not None and _fits(rule, key, project, scope):
            bound.append((key.text, rule))
    return tuple(bound)


def _survivor(key: Scalar, node: Node, scope: Scope) -> Survivorship | None:
    what = f"the survivorship of `{key.text}`"
    if isinstance(node, Scalar):
        chosen = forms.choice(node, _RULES, scope, "rule of survivorship")
        return Survivorship(cast("Survival", chosen)) if chosen is not None else None
    found = forms.mapping(node, scope, what)
    if found is None or not forms.check_keys(found, SURVIVORSHIP_KEYS, scope, what):
        return None
    rule_node = found.get("rule")
    chosen = forms.choice(rule_node, _RULES, scope, "rule of survivorship") if rule_node is not None else "latest"
    return Survivorship(
        cast("Survival", chosen or "latest"),
        _texts(found.get("sources"), scope, "`sources`"),
        _texts(found.get("order"), scope, "`order`"),
    )


def _fits(rule: Survivorship, key: Scalar, project: Project, scope: Scope) -> bool:
    """Whether the rule can be asked of the trait's type."""
    trait = project.trait(key.text)
    kind = trait.type.kind if trait is not None else Kind.TEXT
    wanted = {"all": Kind.LIST, "longest": Kind.TEXT}.get(rule.rule)
    compares = rule.rule in ("most_frequent", "least_permissive")
    if (wanted is not None and kind is not wanted) or (compares and kind in (Kind.LIST, Kind.STRUCT)):
        message = f"`{rule.rule}` is for a {wanted.value if wanted else 'plain value'}; `{key.text}` is a {kind.value}"
        scope.error("SEG471", message, key.location, hint="choose another rule")
        return False
    if rule.rule == "least_permissive" and kind is Kind.TEXT and not rule.order:
        message = f"nobody knows which text of `{key.text}` permits least"
        scope.error(
            "SEG471", message, key.location, hint="add `order: [none, service, all]`, the least permissive first"
        )
        return False
    return True


# --- Small forms ------------------------------------------------------------------------------------------
def _texts(node: Node | None, scope: Scope, what: str) -> tuple[str, ...]:
    found = forms.names(node, scope, what) if node is not None else None
    return tuple(item.text.strip() for item in found or ())


def _count(node: Node | None, scope: Scope, what: str, least: int) -> int | None:
    return forms.count(node, scope, what, least=least) if node is not None else None


def _known(node: Node, known: Collection[str], scope: Scope, what: str, kind: str) -> tuple[str, ...]:
    found = forms.names(node, scope, what)
    return tuple(name for item in found or () for name in _known_one(item, known, scope, kind))


def _known_one(item: Scalar, known: Collection[str], scope: Scope, kind: str) -> tuple[str, ...]:
    name = item.text.strip()
    if name in known:
        return (name,)
    near = nearest(name, known)
    hint = f"did you mean `{near}`?" if near else f"declare it, or name another {kind}"
    scope.error("SEG470", f"{shown(name)} is not a declared {kind}", item.location, hint=hint)
    return ()


def _trait(node: Node | None, project: Project, scope: Scope) -> str | None:
    if not isinstance(node, Scalar):
        return None if node is None else forms.text(node, scope, "a trait's name")
    found = _known_one(node, [t.name for t in project.traits], scope, "trait")
    return found[0] if found else None


def _country(node: Node | None, scope: Scope) -> str | None:
    written = forms.text(node, scope, "`country`") if node is not None else None
    if written is None or node is None or _COUNTRY.fullmatch(written):
        return written
    scope.error("SEG472", f"{shown(written)} is not an ISO code of a country", node.location, hint="write `DE`")
    return None


def _countries(node: Node | None, scope: Scope) -> tuple[tuple[str, str], ...]:
    found = forms.mapping(node, scope, "`countries`", hint="write `{pos_vienna: AT}`") if node is not None else None
    pairs = [(key.text, _country(value, scope)) for key, value in (found.entries if found is not None else ())]
    return tuple((source, code) for source, code in pairs if code is not None)
