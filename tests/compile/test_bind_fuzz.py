"""Whatever stands in a file: an answer, soon, with findings that point into the file."""

from __future__ import annotations

import re
import time
from pathlib import Path

import test_schemas
from builders import PROJECT, TRAITS, a_project, definitions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segctl.compile.definitions import bind_definitions, bind_segment_text
from segctl.compile.project import bind_project_text
from segctl.compile.source import compose
from segctl.model.catalogue import entries
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.errors import UsageError

HEADER = """segment: tested
title: Ein Titel
tags: [daily, eu]
guards: {max_removed: 20 %, min_size: 5}
fresh: {order_completed: 1 day}
keep: {top: 5 %, by: lifetime_value, per: country}
"""
TEXTS = [f"{HEADER}where: {{trait: points, above: 3}}\n", *(f"where: {good}\n" for good in test_schemas.GOOD)]
PIECES = [
    "", " ", "\n", "\t", "\r", ":", ": ", ",", "[", "]", "{", "}", "#", " # 1", "- ", "&a ", "*a", "!x ", '"', "'", "|",
    ">", "\\", "%", "@", "`", "null", "~", "true", "no", "0", "-1", "99,90", "1.000", "01.11.2026", "7 Tage", "KW 47",
    "1e400", "9" * 40, "ä", "ß", "\u0000", "\u2028", "\ufeff", "\U0001f600", "\ud800", "x" * 300, "<<: ",
    "{trait: points}", "{list: x}", "time.month", "address.city", "items", "*", "5 %", "5 EUR", "NaN", ".inf", "0x1F",
    "[1,5]", "{}", "[]",
]  # fmt: skip
WORD = re.compile(r"[\w.%]+|\[[^\[\]]*\]|\{[^{}]*\}")
WORDS = sorted({word for text in TEXTS for word in WORD.findall(text)})


@st.composite
def mutated(draw: st.DrawFn, texts: list[str]) -> str:
    """A good text with some words, or some characters, replaced."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 3)):
            found = list(WORD.finditer(text)) or [re.match("", text)]
            place = draw(st.sampled_from(found))
            assert place is not None
            text = text[: place.start()] + draw(st.sampled_from([*WORDS, *PIECES])) + text[place.end() :]
        else:
            at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 8))
            text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + length :]
    return text


def check(found: list[Diagnostic], text: str) -> None:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    known = entries()
    for diagnostic in found:
        assert diagnostic.code in known
        assert diagnostic.message
        assert not diagnostic.message.endswith(".")
        assert len(diagnostic.message) < 400
        place = diagnostic.location
        assert place is not None
        if place.file not in ("tested.yaml", "segctl.yaml"):
            continue
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1
        assert place.length >= 1
        assert place.column - 1 + place.length <= max(1, len(lines[place.line - 1]) + 1)


SLOW_OK = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KNOWN = definitions({})


@SLOW_OK
@given(mutated(TEXTS))
def test_a_mutated_segment_binds_or_is_told(text: str) -> None:
    started = time.process_time()
    bound, found = bind_segment_text(text, "tested.yaml", KNOWN)
    elapsed_s = time.process_time() - started

    check(found, text)
    assert (bound is None) == any(d.severity is Severity.ERROR for d in found)
    assert elapsed_s < 1.0


@SLOW_OK
@given(mutated([TRAITS]))
def test_mutated_traits_bind_or_are_told(text: str) -> None:
    node, found = compose(text, "tested.yaml")
    _, more = bind_definitions(a_project(), [], [node] if node is not None else [])

    check([*found, *more], text)


@SLOW_OK
@given(mutated([PROJECT]))
def test_a_mutated_project_file_binds_or_is_told(text: str) -> None:
    try:
        project, found = bind_project_text(text, Path("/nowhere"))
    except UsageError as refusal:
        found = list(refusal.diagnostics)
        check([Diagnostic(refusal.code, Severity.ERROR, refusal.message, Location("segctl.yaml")), *found], text)
    else:
        bind_segment_text(TEXTS[0], "tested.yaml", bind_definitions(project, [], [])[0])

    check(found, text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_and_any_bytes_are_answered(content: str | bytes) -> None:
    bound, found = bind_segment_text(content, "tested.yaml", KNOWN)

    assert bound is None
    assert found


def test_a_huge_condition_is_bound_in_reasonable_time() -> None:
    leaves = ", ".join(["{trait: nothing, equals: 1}"] * 9_000)
    started = time.process_time()
    _, found = bind_segment_text(f"where: {{any: [{leaves}]}}", "tested.yaml", KNOWN)
    elapsed_s = time.process_time() - started

    assert len(found) == 9_000
    assert elapsed_s < 5.0  # measured below 1 s; generous for slow machines
