"""Content files as bound values: settings of one template, or what all templates share."""

from __future__ import annotations

import re
from typing import cast

from segctl.compile.bind import forms
from segctl.compile.bind.declarations import entries_of
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.content import (
    ANY_LANGUAGE,
    RESERVED,
    ContentTemplate,
    LanguageRule,
    Offer,
    OfferChoice,
    ProductEvent,
    RecentEvents,
    Recommendation,
    Texts,
)

TEMPLATE_KEYS = (
    "content", "title", "description", "owner", "purpose", "channel", "defaults", "allow", "given", "trigger", "events",
)  # fmt: skip
SHARED_KEYS = ("language", "values", "unsubscribe_url", "offers", "recommendations")
TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_EVENT_KEYS = ("event", "at_most", "after", "per")
_LIST_KEYS = (
    "bought", "viewed", "at_most", "half_life_days", "window_days", "category", "exclude_bought", "exclude_categories",
    "out_of_stock", "fields",
)  # fmt: skip
_PRODUCT_KEYS = ("event", "product", "basket")
_MOST = 100


def bind_template(root: Mapping, scope: Scope) -> ContentTemplate | None:
    """The settings of a template, without its files."""
    what = "a template's settings"
    forms.check_keys(root, TEMPLATE_KEYS, scope, what)
    name = forms.name(root.entries[0][1] if (node := root.get("content")) is None else node, scope, "`content`")
    if name is None:
        return None
    texts = {key: forms.text(node, scope, f"`{key}`") for key in ("title", "description", "owner", "channel")
             if (node := root.get(key)) is not None}  # fmt: skip
    return ContentTemplate(
        name=name,
        title=texts.get("title"),
        description=texts.get("description"),
        owner=texts.get("owner"),
        purpose=_purpose(root.get("purpose"), scope),
        channel=texts.get("channel") or "email",
        defaults=_defaults(root, scope),
        allowed=_known_traits(root.get("allow"), scope),
        given=_given(root.get("given"), scope),
        trigger=_event(root.get("trigger"), scope, "`trigger`"),
        recent=tuple(one for key, node in entries_of(root, "events", scope) if (one := _recent(key, node, scope))),
        location=root.location,
    )


def _purpose(node: Node | None, scope: Scope) -> str | None:
    written = None if node is None else forms.text(node, scope, "`purpose`")
    known = [purpose.name for purpose in scope.project.purposes]
    if written is not None and node is not None and written not in known:
        hint = scope.meant(written, known, otherwise="declare it under `purposes` in segctl.yaml")
        scope.error("SEG767", f"{shown(written)} is no purpose of the project", node.location, hint=hint)
        return None
    return written


def _defaults(root: Mapping, scope: Scope) -> tuple[tuple[str, Texts], ...]:
    found = []
    for key, node in entries_of(root, "defaults", scope):
        if key.text not in scope.trait_names:
            _unknown(key, key.text, "trait", scope.trait_names, scope)
        elif (texts := _texts(node, scope, f"the default of `{key.text}`")) is not None:
            found.append((key.text, texts))
    return tuple(found)


def _known_traits(node: Node | None, scope: Scope) -> tuple[str, ...]:
    listed = () if node is None else forms.names(node, scope, "`allow`") or ()
    for item in listed:
        if item.text.strip() not in scope.trait_names:
            _unknown(item, item.text.strip(), "trait", scope.trait_names, scope)
    return tuple(item.text.strip() for item in listed)


def _given(node: Node | None, scope: Scope) -> tuple[str, ...]:
    listed = () if node is None else forms.names(node, scope, "`given`") or ()
    found = []
    for item in listed:
        name = forms.name(item, scope, "a name under `given`")
        if name in RESERVED or name in scope.trait_names:
            message = f"`{name}` is a name that templates have already"
            scope.error("SEG766", message, item.location, hint="choose another name")
        elif name is not None:
            found.append(name)
    return tuple(found)


def _recent(key: Scalar, node: Node, scope: Scope) -> RecentEvents | None:
    what = f"the list `{key.text}`"
    found = forms.mapping(node, scope, what, hint="write `{event: product_added, at_most: 3}`")
    if found is None or not forms.check_keys(found, _EVENT_KEYS, scope, what):
        return None
    if key.text in RESERVED or key.text in scope.trait_names:
        message = f"`{key.text}` is a name that templates have already"
        scope.error("SEG766", message, key.location, hint="choose another name")
        return None
    required = forms.required(found, "event", scope, what, example="event: product_added")
    event = _event(required, scope, "`event`")
    if event is None:
        return None
    return RecentEvents(
        key.text,
        event,
        at_most=_whole(found, "at_most", 10, scope),
        after=_event(found.get("after"), scope, "`after`"),
        per=_property(found.get("per"), event, scope),
        location=key.location,
    )


# --- What all templates share --------------------------------------------------------------------------------
def bind_language(node: Node, scope: Scope) -> LanguageRule | None:
    """How people's languages are known: a trait's name, or more."""
    if isinstance(node, Scalar):
        node = Mapping(((Scalar("trait", is_plain=True, location=node.location), node),), node.location)
    found = forms.mapping(node, scope, "`language`", hint="write `{trait: country, tags: {DE: de}, otherwise: en}`")
    if found is None or not forms.check_keys(found, ("trait", "tags", "otherwise"), scope, "`language`"):
        return None
    written = forms.required(found, "trait", scope, "`language`", example="trait: language")
    trait = None if written is None else forms.text(written, scope, "`trait`")
    if trait is None:
        return None
    if trait not in scope.trait_names:
        _unknown(cast("Scalar", written), trait, "trait", scope.trait_names, scope)
        return None
    declared = found.get("tags")
    listed = None if declared is None else forms.mapping(declared, scope, "`tags`")
    entries = () if listed is None else listed.entries
    tags = tuple((key.text, tag) for key, of in entries if (tag := _tag(of, scope)) is not None)
    otherwise = found.get("otherwise")
    return LanguageRule(trait, tags, None if otherwise is None else _tag(otherwise, scope))


def bind_offer(key: Scalar, node: Node, scope: Scope) -> Offer | None:
    """An offer: choices in order, the last for everybody."""
    what = f"the offer `{key.text}`"
    listed = forms.items(
        node, scope, what, hint="write `- {segment: vip, title: …}` and, for all others, `- {title: …}`"
    )
    if listed is None:
        return None
    choices = tuple(choice for item in listed if (choice := _choice(item, scope, what)) is not None)
    if len(choices) != len(listed):
        return None
    if any(choice.segment is None for choice in choices[:-1]):
        message = f"{what} has a choice for everybody before others, which nobody gets"
        scope.error("SEG766", message, key.location, hint="put the choice without `segment` last")
    wanted = {name for choice in choices for name, _ in choice.texts}
    for choice, item in zip(choices, listed, strict=True):
        lacking = sorted(wanted - {name for name, _ in choice.texts})
        if lacking:
            scope.error("SEG766", f"a choice of {what} has no {one_of(lacking)}", item.location,
                        hint="give every choice the same keys, so that templates can show them")  # fmt: skip
    if choices[-1].segment is not None:
        message = f"{what} has nothing for those who are in none of its segments"
        scope.error("SEG766", message, key.location, hint="add a last choice without `segment`")
    return Offer(key.text, choices, key.location)


def _choice(node: Node, scope: Scope, what: str) -> OfferChoice | None:
    found = forms.mapping(node, scope, f"a choice of {what}")
    if found is None:
        return None
    segment = None if (asked := found.get("segment")) is None else forms.text(asked, scope, "`segment`")
    if asked is not None and segment is not None and segment not in scope.segments:
        _unknown(asked, segment, "segment", scope.segments, scope)
        return None
    texts = []
    for key, of in found.entries:
        if key.text != "segment" and forms.name(key, scope, f"a key of {what}") is not None:
            text = _texts(of, scope, f"`{key.text}`")
            if text is not None:
                texts.append((key.text, text))
    return OfferChoice(segment, tuple(texts))


def bind_recommendation(key: Scalar, node: Node, scope: Scope) -> Recommendation | None:
    """A list of products for each person."""
    what = f"the recommendations `{key.text}`"
    found = forms.mapping(node, scope, what, hint="write `{bought: {event: order_item, product: product_id}}`")
    if found is None or not forms.check_keys(found, _LIST_KEYS, scope, what):
        return None
    needed = forms.required(found, "bought", scope, what, example="bought: {event: order_item, product: product_id}")
    bought = None if needed is None else _product(needed, scope, "`bought`")
    if bought is None:
        return None
    viewed = None if (node := found.get("viewed")) is None else _product(node, scope, "`viewed`")  # type: ignore[assignment]  # one or none
    known = [bought, *([viewed] if viewed is not None else [])]
    keep = found.get("exclude_bought")
    stock = found.get("out_of_stock")
    listed = [(key, found.get(key)) for key in ("exclude_categories", "fields")]
    categories, fields = (() if node is None else tuple(
        item.text.strip() for item in forms.names(node, scope, f"`{key}`") or ()) for key, node in listed)  # fmt: skip
    category = None if (node := found.get("category")) is None else forms.text(node, scope, "`category`")  # type: ignore[assignment]  # one or none
    if categories and category is None:
        hint = "write `category: NAME`: the property of the events that tells it"
        scope.error("SEG766", f"{what} shuts categories, and knows none", key.location, hint=hint)
    properties = {name for one in known for name, _ in scope.events[one.event].properties}
    for name, place in [(category, found.get("category")), *((one, found.get("fields")) for one in fields)]:
        if name is not None and place is not None and name not in properties:
            _unknown(place, name, "property of these events", sorted(properties), scope)
    return Recommendation(
        key.text,
        bought,
        viewed,
        at_most=_whole(found, "at_most", 4, scope),
        half_life_days=_whole(found, "half_life_days", 90, scope, most=36_500),
        window_days=_whole(found, "window_days", 365, scope, most=36_500),
        category=category,
        exclude_bought=True if keep is None else forms.flag(keep, scope, "`exclude_bought`") is not False,
        exclude_categories=categories,
        out_of_stock=None if stock is None else forms.text(stock, scope, "`out_of_stock`"),
        fields=fields,
        location=key.location,
    )


def _product(node: Node, scope: Scope, what: str) -> ProductEvent | None:
    found = forms.mapping(node, scope, what, hint="write `{event: order_item, product: product_id}`")
    if found is None or not forms.check_keys(found, _PRODUCT_KEYS, scope, what):
        return None
    event = _event(forms.required(found, "event", scope, what, example="event: order_item"), scope, "`event`")
    needed = forms.required(found, "product", scope, what, example="product: product_id")
    if event is None or needed is None:
        return None
    product = _property(needed, event, scope)
    return None if product is None else ProductEvent(event, product, _property(found.get("basket"), event, scope))


# --- Small parts -----------------------------------------------------------------------------------------------
def texts_of(node: Node, scope: Scope, what: str) -> Texts | None:
    """A text, or one for each language."""
    return _texts(node, scope, what)


def _texts(node: Node, scope: Scope, what: str) -> Texts | None:
    if not isinstance(node, Mapping):
        written = forms.text(node, scope, what)
        return None if written is None else ((ANY_LANGUAGE, written),)
    found = []
    for key, of in node.entries:
        tag, text = _tag(key, scope), forms.text(of, scope, f"{what} in `{key.text[:20]}`")
        if tag is not None and text is not None:
            found.append((tag, text))
    return tuple(found) if len(found) == len(node.entries) and found else None


def _tag(node: Node, scope: Scope) -> str | None:
    written = forms.text(node, scope, "a language")
    if written is None or TAG.fullmatch(written.lower()):
        return None if written is None else written.lower()
    scope.error("SEG766", f"{shown(written)} is no language tag", node.location, hint="write `de`, `en` or `de-AT`")
    return None


def _event(node: Node | None, scope: Scope, what: str) -> str | None:
    written = None if node is None else forms.text(node, scope, what)
    if written is not None and node is not None and written not in scope.events:
        _unknown(node, written, "event", scope.events, scope)
        return None
    return written


def _property(node: Node | None, event: str, scope: Scope) -> str | None:
    written = None if node is None else forms.text(node, scope, "a property")
    known = [name for name, _ in scope.events[event].properties]
    if written is not None and node is not None and written not in known:
        _unknown(node, written, f"property of `{event}`", known, scope)
        return None
    return written


def _whole(node: Mapping, key: str, otherwise: int, scope: Scope, *, most: int = _MOST) -> int:
    written = node.get(key)
    found = otherwise if written is None else forms.count(written, scope, f"`{key}`", least=1)
    if found is not None and found > most and written is not None:
        scope.error("SEG230", f"`{key}` is at most {most:,}", written.location)
    return otherwise if found is None else min(found, most)


def _unknown(node: Node, name: str, what: str, known: object, scope: Scope) -> None:
    names = tuple(known) if isinstance(known, tuple | list | dict | set | frozenset) else ()
    scope.error("SEG767", f"{shown(name)} is no {what}", node.location, hint=scope.meant(name, names))
