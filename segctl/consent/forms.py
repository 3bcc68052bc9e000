"""Contact points in two normal forms: the exact one that consent is looked up by, and a wide one that blocks.

The exact form says which mailbox or number was meant. The wide form is one for all spellings that reach the same
person, so that an objection to `anna+news@post.example` also holds for `anna@post.example`. Both are stable: the wide
form of a wide form is itself.
"""

from __future__ import annotations

import re
import unicodedata

_PLAIN = re.compile(
    r"[a-z0-9!#$%&'*/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}"
)
"""Addresses that are their own exact and wide form: most of them."""
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x1f]+@[^\s@<>,;:\"()\[\]\\\x00-\x1f]+")
_GOOGLE = ("gmail.com", "googlemail.com")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_KEPT = {"ß": "ss", "ς": "σ"}
"""Letters that older programs replaced in domains, and newer ones keep."""
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_LONGEST = 512


def forms(kind: str, value: str | None) -> tuple[str, str] | None:
    """Exact and wide form of a contact point.

    Args:
        kind: One of `model.consent.KINDS`; phones must be in E.164.
        value: As written.

    Returns:
        None for what is none of its kind.
    """
    if value is None or len(value) > _LONGEST:
        return None
    if kind == "email":
        return email_forms(value)
    if kind == "phone":
        number = value.strip()
        return (number, number) if _PHONE.fullmatch(number) else None
    exact = unicodedata.normalize("NFC", value.strip())
    if not exact or not exact.isprintable():
        return None
    if kind == "postal":
        exact = " ".join(exact.casefold().split())
        wide = "".join(sign for sign in exact if sign.isalnum())
        return (exact, wide) if wide else None
    return exact, exact


def email_forms(value: str) -> tuple[str, str] | None:
    """Both forms of an e-mail address, None for what is none.

    Letters are small in both: no provider tells `Anna@` from `anna@`, and dedupe takes them for one person. Domains
    are in ASCII. The wide form has no `+tag`, and at Google no dots.
    """
    if _PLAIN.fullmatch(value) and not value.endswith(_GOOGLE) and "xn--" not in value:
        return value, value
    text = unicodedata.normalize("NFC", value).strip().removeprefix("mailto:").lower()
    if not _ADDRESS.fullmatch(text):
        return None
    local, _, domain = text.rpartition("@")
    host = _ascii_domain(domain)
    if host is None or not local.isprintable() or local.startswith(".") or local.endswith(".") or ".." in local:
        return None
    base = local.partition("+")[0] or local
    if host in _GOOGLE:
        base, wide_host = base.replace(".", "") or base, _GOOGLE[0]
    else:
        wide_host = _one_spelling(host)
    return f"{local}@{host}", f"{base}@{wide_host}"


def sending_form(value: str) -> str | None:
    """An e-mail address as it is sent to: no blanks, domain in small ASCII letters, the rest as written."""
    if email_forms(value) is None:
        return None
    text = unicodedata.normalize("NFC", value).strip().removeprefix("mailto:")
    local, _, domain = text.rpartition("@")
    return f"{local}@{_ascii_domain(domain.lower())}"


def _ascii_domain(domain: str) -> str | None:
    """A domain in small ASCII letters; None when it is none or has no dot."""
    domain = domain.removesuffix(".")
    if domain.isascii():
        labels = domain.split(".")
    else:
        try:
            labels = ".".join(_ascii_label(label) for label in _DOTS.split(domain)).split(".")
        except UnicodeError:
            return None
    return ".".join(labels) if len(labels) > 1 and all(_is_label(label) for label in labels) else None


def _ascii_label(label: str) -> str:
    """A label in ASCII. Python's own codec writes `ß` as `ss`, which has been another domain since 2010 (RFC 5891)."""
    if not any(sign in label for sign in _KEPT):
        return label.encode("idna").decode("ascii").lower()
    kept = unicodedata.normalize("NFKC", label)
    if not kept.replace("-", "").isalnum() or kept.startswith("-") or kept.endswith("-"):
        raise UnicodeError
    return f"xn--{kept.encode('punycode').decode('ascii')}"


def _one_spelling(host: str) -> str:
    """A domain as older programs write it as well, so that a denial of either spelling blocks both."""
    if "xn--" not in host:
        return host
    labels = []
    for label in host.split("."):
        try:
            written = label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else ""
            plain = "".join(_KEPT.get(sign, sign) for sign in written)
            labels.append(label if plain == written else plain.encode("idna").decode("ascii").lower())
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)


def _is_label(label: str) -> bool:
    plain = label.replace("-", "").replace("_", "")
    return 0 < len(label) <= 63 and plain.isascii() and plain.isalnum() and label[0] != "-" and label[-1] != "-"
