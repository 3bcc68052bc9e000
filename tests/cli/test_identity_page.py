"""The page of `dedupe`: complete, masked, harmless, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import polars as pl
import pytest

from segctl.cli.identity_page import page
from segctl.cli.identity_page_words import WORDS
from segctl.identity.explain import FieldEvidence, PairEvidence
from segctl.operations.dedupe.dedupe import Deduped
from segctl.operations.dedupe.near import Near

HOSTILE = '<script>alert(1)</script>\u202e&"'
AT = datetime(2026, 11, 22, 1, tzinfo=UTC)
PAIR = PairEvidence(
    1, 2, -8.0,
    (
        FieldEvidence("given", HOSTILE, "jorg", "equal", 3.0, 1.5, 0.9, 0.1),
        FieldEvidence("email", "anna.secret@post.example", "a", "equal", 10.0, 0.0, 0.9, 0.001),
    ),
    6.5, 0.99, "",
)  # fmt: skip
FOUND = Deduped(
    run=None, subjects=1234, before=1000, after=900,
    events={"merged": 100, "split": 0, "new": 0, "unchanged": 800},
    sizes=((1, 800), (2, 90), (7, 10)),
    links={"email": 90, HOSTILE: 3},
    junk=pl.DataFrame({"key": ["email"], "value": ["anna.secret@post.example"], "identities": [60], "reason": ["x"]}),
    held=pl.DataFrame(
        {"key": ["phone", "fuzzy"], "value": ["+491711234567", "0.4"], "left": [HOSTILE, "K1"], "right": ["K2", "K3"],
         "reason": ["both have email", "likely: not sure enough"]}
    ),
    largest=((HOSTILE, 7, {"email": 7}),),
    invalid={}, notes=(HOSTILE,),
    near=(Near("K1", HOSTILE, joined=True, pair=PAIR),),
    changed=(("K7", "merged", 2, 7),),
)  # fmt: skip


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") or name == "src" for name, _ in attrs)
        if tag not in ("meta", "br", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("personal", [True, False])
def test_the_page_is_whole_and_nothing_in_it_is_markup(language: str, personal: bool) -> None:
    text = page(FOUND, name=HOSTILE, language=language, at=AT, personal=personal)
    tags = _Tags()
    tags.feed(text)

    assert tags.open == []
    assert "script" not in tags.seen
    assert "\u202e" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert f'<html lang="{language}">' in text
    for key in ("summary", "sizes", "links", "changed", "largest", "near", "held", "junk", "next"):
        assert f'<h2 id="{key}">{WORDS[language][key]}</h2>' in text
    assert ("1.234" if language == "de" else "1,234") in text


@pytest.mark.parametrize("secret", ["anna.secret@post.example", "+491711234567"])
def test_values_are_shown_when_asked_for_only(secret: str) -> None:
    assert secret not in page(FOUND, name="x", language="en", at=AT, personal=False)
    assert secret in page(FOUND, name="x", language="en", at=AT, personal=True)


def test_the_sum_of_a_pair_is_drawn_and_written() -> None:
    text = page(FOUND, name="x", language="de", at=AT, personal=False)

    assert text.count('class="fall"') == 4
    assert "gleich, selten" in text
    assert all(number in text for number in ("−8,0", "+4,5", "+10,0", "+6,5"))
    assert "left:55.2%;width:44.8%" in text


def test_an_empty_run_has_a_page_too() -> None:
    nothing = replace(
        FOUND, sizes=(), links={}, junk=FOUND.junk.clear(), held=FOUND.held.clear(), largest=(), near=(), changed=()
    )

    assert WORDS["en"]["nothing_changed"] in page(nothing, name="", language="fr", at=AT, personal=False)


def test_both_languages_have_the_words() -> None:
    assert set(WORDS["en"]) <= set(WORDS["de"])
