"""Templates from somebody who means harm: nothing gets out, and nothing runs for long."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from segctl.content.library import Library, TemplateError
from segctl.content.rendering import MissingError, Rendering
from segctl.content.values import Amount, Fields, Memberships
from segctl.model.content import Content, ContentTemplate, TemplateFile

VALUES: dict[str, Any] = {
    "first_name": "Anna",
    "points": 12,
    "price": Amount.of(Decimal("9.90"), "EUR"),
    "tags": ["a", "b"],
    "event": Fields("event", {"price": 3, "gone": None}),
    "segments": Memberships({"vip": True, "staff": False}),
}
ESCAPES = (
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ first_name.__class__.__mro__[1].__subclasses__() }}",
    "{{ first_name | attr('__class__') }}",
    "{{ tags.append('x') }}",
    "{{ tags.__init__.__globals__ }}",
    "{{ event.__class__ }}",
    "{{ event._values }}",
    "{{ event.keys() }}",
    "{{ segments._segments }}",
    "{{ segments.asked('vip') }}",
    "{{ '{0.__class__}'.format(first_name) }}",
    "{{ '{0.__class__}' | format(first_name) }}",
    "{{ '%s' % first_name }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__ }}",
    "{{ range.__self__ }}",
    "{{ range.__call__ }}",
    "{{ config }}",
    "{{ lipsum.__globals__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ joiner }}",
    "{{ namespace() }}",
    "{{ dict(a=1) }}",
    "{{ price.__class__ }}",
    "{{ price.unit }}",
    "{{ price.real }}",
    "{{ price.as_tuple() }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{{ caller }}{{ m.name }}{% endmacro %}{{ m() }}",
    "{% for a in tags %}{{ loop._iterator }}{% endfor %}",
    "{% for a in tags %}{{ loop.__init__ }}{% endfor %}",
    "{% for a in tags recursive %}{{ loop(tags) }}{% endfor %}",
    "{{ first_name | map('attr', '__class__') | list }}",
    "{{ tags | map(attribute='__class__') | join }}",
    "{{ tags | map('__class__') | list }}",
    "{{ tags | sum(start='') }}",
    "{% include first_name %}",
    "{% include '../segctl.yaml' %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
    "{% extends first_name %}",
    "{{ first_name | safe }}",
    "{{ first_name | tojson }}",
    "{{ first_name | xmlattr }}",
    "{{ tags | pprint }}",
    "{{ tags | random }}",
    "{% autoescape false %}{{ first_name }}{% endautoescape %}",
    "{{ undeclared }}",
    "{{ event.undeclared }}",
    "{{ segments.other }}",
    "{{ 'other' in segments }}",
    "{{ loop }}",
    "{{ [].pop }}",
    "{{ {}.setdefault('a', 1) }}",
    "{{ event }}",
)
BOMBS = (
    "{{ 'a' * 10000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 2 ** 64 }}",
    "{{ points.bit_length() }}",
    "{{ range(10000000000) | list }}",
    "{{ range(1000) | join('a' * 100) }}",
    "{% for a in range(1000) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}",
    "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(99) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "{% set a = [1] %}" + "{% set a = a + a %}" * 40 + "{{ a | length }}",
    "{% set a = 7 %}" + "{% set a = a * a %}" * 40 + "{{ a }}",
    "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a | replace('x', a) %}" * 12 + "{{ a | length }}",
    "{% set a %}x{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40,
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ " + "(" * 20000 + "1" + ")" * 20000 + " }}",
    "{% if 1 %}" * 200 + "{% endif %}" * 200,
    "{{ " + "9" * 10000 + " }}",
    "{{ points | round(1000000000) }}",
    "{{ points | number(1000000000) }}",
    "{{ 'a' | center(10000000000) }}",
    "{{ 'a' | indent(10000000000) }}",
    "{{ tags | slice(10000000000) | list }}",
    "{{ tags | batch(10000000000, 'x') | list }}",
    "{{ 'a' | wordwrap(0) }}",
    "{% include 'mail.html.j2' %}",
    "{{ 1 / 0 }}",
    "{{ -'a' }}",
    "{{ points < 'a' }}",
    "{{ tags | sort(attribute='x') }}",
)


def filled(tmp_path: Path, text: str, *, ending: str = "html", **more: Any) -> str:
    """What a template makes of the values."""
    folder = tmp_path / "content"
    folder.mkdir(exist_ok=True)
    (folder / f"mail.{ending}.j2").write_text(text, encoding="utf-8")
    part: Any = ending
    template = ContentTemplate("mail", files=(TemplateFile(f"content/mail.{ending}.j2", "", part),))
    library = Library(Content(templates={"mail": template}), tmp_path)
    written = library.fill(library.message("mail", ""), VALUES | more, Rendering("de", "Europe/Berlin"))
    return (written.html if ending == "html" else written.text) or ""


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_but_data_can_be_reached(tmp_path: Path, text: str) -> None:
    for ending in ("html", "txt"):
        with pytest.raises((TemplateError, MissingError)) as caught:
            filled(tmp_path, text, ending=ending)

        # Words of an error go into logs; a value must not.
        assert "Anna" not in str(caught.value)


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:50])
def test_a_bomb_is_refused_soon(tmp_path: Path, text: str) -> None:
    begin = time.perf_counter()

    with pytest.raises(TemplateError):
        filled(tmp_path, text)

    assert time.perf_counter() - begin < 6


def test_the_largest_mail_that_is_allowed_is_written(tmp_path: Path) -> None:
    text = "{% for a in range(900) %}{% for b in range(10) %}" + "x" * 80 + "{% endfor %}{% endfor %}"

    assert len(filled(tmp_path, text)) == 720_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ first_name | upper }} {{ points + 1 }}", "ANNA 13"),
        ("{{ price | money }} {{ price * 2 | money('EUR') if false else price * 2 }}", "9,90\u00a0€ 19,8"),
        ("{{ price * 1.5 }}", "14,85"),
        ("{% if 'vip' in segments %}ja{% endif %}{% if segments.staff %}nein{% endif %}", "ja"),
        ("{% for a in tags %}{{ loop.index }}{{ a }}{% if not loop.last %}, {% endif %}{% endfor %}", "1a, 2b"),
        ("{{ event.price }} {{ event.gone | default('fehlt') }}", "3 fehlt"),
        ("{% if event.gone %}da{% else %}fort{% endif %}", "fort"),
        ("{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ m(first_name) }}", "<b>Anna</b>"),
        ("{{ tags | join(' & ') }}", "a &amp; b"),
        ("{{ '<' ~ first_name ~ '>' }}", "&lt;Anna&gt;"),
        ("{{ tags }} {{ true }}", "a, b ja"),
        ("{{ [1, 2, 3] | wrap_in_twos | length }} {{ tags[:1] | first }} {{ tags[-1] }}", "2 a b"),
        ("{{ (1.005 * 1000) | round }} {{ price | round }}", "1.005 10"),
    ],
)
def test_what_mails_need_works(tmp_path: Path, text: str, expected: str) -> None:
    assert filled(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('"><img src=x onerror=alert(1)>', "&#34;&gt;&lt;img src=x onerror=alert(1)&gt;"),
        ("{{ 7 * 7 }}{% raw %}", "{{ 7 * 7 }}{% raw %}"),
        ("Ωmega 👩‍👩‍👧 שלום", "Ωmega 👩‍👩‍👧 שלום"),
    ],
)
def test_a_name_is_text_whatever_it_holds(tmp_path: Path, name: str, shown: str) -> None:
    assert filled(tmp_path, "<p>{{ first_name }}</p>", first_name=name) == f"<p>{shown}</p>"


def test_values_of_the_rendering_do_not_leak_into_the_next(tmp_path: Path) -> None:
    assert filled(tmp_path, "{% set x = first_name %}{{ x }}") == "Anna"
    with pytest.raises(TemplateError):
        filled(tmp_path, "{{ x }}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}", "steps"),
        ("{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}", "steps"),
        ("{% for a in range(1000) %}" + "x" * 2000 + "{% endfor %}", "writes more"),
        ("{% for a in range(1000) %}{{ 'x' * 0 if false else long }}{% endfor %}", "writes more"),
        ("{% for a in range(900) %}{{ long | replace('x', 'y') | length }}{% endfor %}", "filters go through"),
    ],
)
def test_every_limit_says_what_was_too_much(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        filled(tmp_path, text, long="x" * 20_000)
