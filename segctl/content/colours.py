"""Colours of inline styles, and how well one reads on another."""

from __future__ import annotations

import re

Colour = tuple[int, int, int]
_NAMES: dict[str, Colour] = {
    "black": (0, 0, 0), "white": (255, 255, 255), "gray": (128, 128, 128), "grey": (128, 128, 128),
    "silver": (192, 192, 192), "red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "navy": (0, 0, 128),
    "yellow": (255, 255, 0), "orange": (255, 165, 0), "lightgray": (211, 211, 211), "lightgrey": (211, 211, 211),
    "darkgray": (169, 169, 169), "darkgrey": (169, 169, 169), "whitesmoke": (245, 245, 245),
}  # fmt: skip
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*(?:[,/]\s*([0-9.%]+)\s*)?\)")


def declared(style: str, *names: str) -> Colour | None:
    """The colour that a style declares under one of the names; None when it declares none that is plain.

    >>> declared("color: #fff; background: #336699", "background")
    (51, 102, 153)
    """
    found = None
    for part in style.split(";"):
        name, _, value = part.partition(":")
        if name.strip().lower() in names:
            found = next((colour for word in _words(value) if (colour := colour_of(word)) is not None), found)
    return found


def _words(value: str) -> list[str]:
    return [value.strip(), *value.split()]


def colour_of(text: str) -> Colour | None:
    """A colour of CSS: ``#abc``, ``#aabbcc``, ``rgb(…)`` or one of a few names."""
    text = text.strip().lower()
    if re.fullmatch("#[0-9a-f]{3}", text):
        red, green, blue = (int(digit * 2, 16) for digit in text[1:])
        return red, green, blue
    if re.fullmatch("#[0-9a-f]{6}", text):
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    found = _RGB.fullmatch(text)
    if found is not None and found[4] in (None, "1", "100%"):
        return min(int(found[1]), 255), min(int(found[2]), 255), min(int(found[3]), 255)
    return _NAMES.get(text)


def contrast(one: Colour, other: Colour) -> float:
    """Ratio of their relative luminances, 1 to 21 (WCAG 2.2, "contrast ratio").

    >>> round(contrast((0, 0, 0), (255, 255, 255)), 1)
    21.0
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [value / 255 for value in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
