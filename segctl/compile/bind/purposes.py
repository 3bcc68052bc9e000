"""What the project file says under `purposes`, `consent` and `contact_points`."""

from __future__ import annotations

import re
from typing import cast

from segctl.compile.bind import forms
from segctl.compile.bind.declarations import words_of
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.times import duration
from segctl.compile.fetching_secrets import bind_secret
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.source_nodes import Reader
from segctl.model.consent import BASES, CHANNELS, KINDS, Basis, ConsentRules, Purpose
from segctl.model.project import IdentifierType, StoredTrait
from segctl.model.secrets import Secret
from segctl.model.times import Duration

PURPOSE_KEYS = (
    "title", "description", "basis", "channels", "covers", "stale_after", "signals", "lia_ref", "min_notice",
    "marketing", "tcf",
)  # fmt: skip
CONSENT_KEYS = (
    "double_opt_in", "confirm_within", "stale_after", "soft_bounces", "soft_bounce_window", "brand", "key",
)  # fmt: skip
SIGNALS = ("ad_user_data", "ad_personalization", "ad_storage", "analytics_storage")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62})*")
_EXAMPLE = "write `newsletter: {basis: consent, channels: [email]}`"
_NO_MARKETING = frozenset({"contract", "legal_obligation", "public_task"})


def purposes(node: Mapping, scope: Scope) -> tuple[Purpose, ...]:
    """The declared purposes that are right."""
    bound = [_purpose(name, of, scope) for name, of in _entries(node, "purposes", scope)]
    found = [(purpose, of) for purpose, of in bound if purpose is not None]
    names = {purpose.name for purpose, _ in found}
    for purpose, covers in found:
        for item in covers:
            if item.text.strip() not in names:
                hint = scope.meant(item.text.strip(), tuple(names))
                message = f"`covers` of `{purpose.name}` names {shown(item.text)}, which is no purpose"
                scope.error("SEG803", message, item.location, hint=hint)
    return tuple(purpose for purpose, _ in found)


def consent_rules(node: Mapping, scope: Scope) -> ConsentRules:
    """What holds for every purpose; defaults where nothing is said."""
    rules, declared = ConsentRules(), node.get("consent")
    block = forms.mapping(declared, scope, "`consent`", hint="write `{double_opt_in: [email]}`") if declared else None
    if block is None:
        return rules
    forms.check_keys(block, CONSENT_KEYS, scope, "`consent`")
    channels, count, brand = (block.get(key) for key in ("double_opt_in", "soft_bounces", "brand"))
    return ConsentRules(
        rules.double_opt_in if channels is None else _words(channels, CHANNELS, scope, "channel", least=0),
        _length(block, "confirm_within", scope) or rules.confirm_within,
        _length(block, "stale_after", scope),
        (forms.count(count, scope, "`soft_bounces`", least=1) if count is not None else None) or rules.soft_bounces,
        _length(block, "soft_bounce_window", scope) or rules.soft_bounce_window,
        forms.text(brand, scope, "`brand`") if brand is not None else None,
        _key(block.get("key"), scope),
    )


def contact_points(
    node: Mapping, identifiers: tuple[IdentifierType, ...], traits: tuple[StoredTrait, ...], scope: Scope
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Kind of contact point → the identifiers and traits that hold one, the preferred first.

    Without the block, identifiers and traits that are called like a kind hold it.
    """
    known = tuple(dict.fromkeys((*(i.name for i in identifiers), *(t.name for t in traits))))
    declared = node.get("contact_points")
    if declared is None:
        return tuple((kind, (kind,)) for kind in ("email", "phone") if kind in known)
    block = forms.mapping(declared, scope, "`contact_points`", hint="write `{email: email, phone: phone}`")
    found = []
    for key, value in block.entries if block is not None else ():
        if forms.choice(key, KINDS, scope, "kind of contact point") not in KINDS:
            continue
        items = value.items if isinstance(value, ListNode) else (value,)
        holders = tuple(name for item in items if (name := _holder(item, known, scope)) is not None)
        if holders:
            found.append((key.text, holders))
    return tuple(found)


def _holder(node: Node, known: tuple[str, ...], scope: Scope) -> str | None:
    written = forms.text(node, scope, "a contact point")
    if written is None or written in known:
        return written
    message = f"{shown(written)} is neither a declared identifier nor a stored trait"
    scope.error("SEG804", message, node.location, hint=scope.meant(written, known))
    return None


def _entries(node: Mapping, key: str, scope: Scope) -> tuple[tuple[Scalar, Node], ...]:
    declared = node.get(key)
    if declared is None or (isinstance(declared, Scalar) and declared.is_null and declared.comment is None):
        return ()
    block = forms.mapping(declared, scope, f"`{key}`", hint=_EXAMPLE)
    kept = []
    for name, of in block.entries if block is not None else ():
        if _NAME.fullmatch(name.text):
            kept.append((name, of))
        else:
            hint = "purposes have small letters a–z, digits and `_`, with dots between the levels: `ads.retargeting`"
            scope.error("SEG802", f"{shown(name.text)} is not the name of a purpose", name.location, hint=hint)
    return tuple(kept)


def _purpose(name: Scalar, node: Node, scope: Scope) -> tuple[Purpose | None, tuple[Scalar, ...]]:
    what = f"the purpose `{name.text}`"
    found = forms.mapping(node, scope, what, hint=_EXAMPLE)
    if found is None:
        return None, ()
    forms.check_keys(found, PURPOSE_KEYS, scope, what, synonyms={"legal_basis": "basis", "channel": "channels"})
    basis, channels, covers, signals = (found.get(key) for key in ("basis", "channels", "covers", "signals"))
    if basis is None:
        scope.error("SEG211", f"{what} has no `basis`", node.location, hint="add `basis: consent`")
    if channels is None:
        scope.error("SEG211", f"{what} has no `channels`", node.location, hint="add `channels: [email]`")
    bases = cast("tuple[Basis, ...]", _words(basis, BASES, scope, "legal basis") if basis is not None else ())
    lia, notice, marketing = (found.get(key) for key in ("lia_ref", "min_notice", "marketing"))
    lia_ref = forms.text(lia, scope, "`lia_ref`") if lia is not None else None
    if "legitimate_interest" in bases and lia_ref is None:
        message = f"{what} rests on legitimate interest without `lia_ref`, so nobody is contacted by it"
        scope.warn(
            "SEG805", message, name.location, hint="name the record of the balancing test: `lia_ref: LIA-2026-3`"
        )
    covered = forms.names(covers, scope, "`covers`") if isinstance(covers, ListNode) and covers.items else ()
    if covers is not None and not isinstance(covers, ListNode):
        forms.names(covers, scope, "`covers`")
    words = words_of(found, scope, what)
    vendor, tcf_purposes = _tcf(found.get("tcf"), scope)
    is_marketing = forms.flag(marketing, scope, "`marketing`") if marketing is not None else None
    purpose = Purpose(
        name.text,
        words.get("title"),
        words.get("description"),
        bases,
        _words(channels, CHANNELS, scope, "channel") if channels is not None else (),
        tuple(item.text.strip() for item in covered or ()),
        _length(found, "stale_after", scope),
        _words(signals, SIGNALS, scope, "consent signal") if signals is not None else (),
        lia_ref,
        forms.text(notice, scope, "`min_notice`") if notice is not None else None,
        not set(bases) <= _NO_MARKETING if is_marketing is None else is_marketing,
        vendor,
        tcf_purposes,
        name.location,
    )
    return purpose, covered or ()


def _words(node: Node, allowed: tuple[str, ...], scope: Scope, what: str, *, least: int = 1) -> tuple[str, ...]:
    """One word or a list of words, each one of a few; wrong ones are reported and left out."""
    items: tuple[Node, ...] = (node,)
    if isinstance(node, ListNode):
        items = forms.items(node, scope, f"the list of {what}s", least=least) or ()
    chosen = [forms.choice(item, allowed, scope, what) for item in items]
    return tuple(dict.fromkeys(word for word in chosen if word in allowed))


def _length(node: Mapping, key: str, scope: Scope) -> Duration | None:
    value = node.get(key)
    return duration(value, scope) if value is not None else None


def _tcf(node: Node | None, scope: Scope) -> tuple[int | None, tuple[int, ...]]:
    """Vendor and TCF purposes that a TC string must allow."""
    block = forms.mapping(node, scope, "`tcf`", hint="write `{vendor: 755, purposes: [1, 3]}`") if node else None
    if block is None:
        return None, ()
    forms.check_keys(block, ("vendor", "purposes"), scope, "`tcf`")
    vendor, listed = block.get("vendor"), block.get("purposes")
    number = forms.count(vendor, scope, "`vendor`", least=1) if vendor is not None else None
    items = forms.items(listed, scope, "`purposes`") if listed is not None else ()
    numbers = [forms.count(item, scope, "a TCF purpose", least=1) for item in items or ()]
    return number, tuple(n for n in numbers if n is not None)


def _key(node: Node | None, scope: Scope) -> Secret | None:
    if node is None:
        return None
    reader = Reader()
    found = bind_secret(node, "`key`", reader)
    scope.diagnostics.extend(reader.diagnostics)
    return found
