"""Messages for people of a real workspace: values, languages, offers, events, what is missing."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from operations.content_shop import NOW, ContentShop, made

from segctl.model.errors import DataError, SegctlError, UsageError
from segctl.operations.content.content import Rendered, render, render_many, spoken
from segctl.operations.content.lint import check_audience, template_findings
from segctl.operations.content.preview import preview
from segctl.operations.people import find_person

SHARED = """language: {trait: language_tag}
unsubscribe_url: "https://shop.example/u?p={{ profile_id | urlencode }}"
values: {brand: {de: Laden, en: Shop}}
offers:
  thanks:
    - {segment: gold, title: {de: Gold, en: Golden}}
    - {title: {de: Danke, en: Thanks}}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ContentShop:
    return made(tmp_path_factory.mktemp("content"))


def mail(shop: ContentShop, who: str, **options: object) -> Rendered:
    with shop.session() as session:
        owner, _ = find_person(session.workspace, who)
        return render(session, "m", owner.subject, as_of=NOW, **options)


def body(shop: ContentShop, who: str, text: str, *, settings: str = "content: m\n", **options: object) -> str:
    """The HTML of a mail that is no more than this text."""
    shop.write(shop__yaml=SHARED, m__yaml=settings, m__html=f'---\nsubject: "s"\n---\n{text}')
    return mail(shop, who, **options).html or ""


@pytest.mark.parametrize(
    ("who", "text", "expected"),
    [
        ("1", "{{ first_name }} {{ balance | money }} {{ since | date }}", "Anna 1.234,50\u00a0€ 5. März 2024"),
        ("5", "{{ balance | money }} {{ since | date }} {{ since }}", "€7.00 29 February 2020 29/02/2020"),
        ("1", "{{ offers.thanks.title }} {{ values.brand }}", "Gold Laden"),
        ("5", "{{ offers.thanks.title }} {{ values.brand }}", "Thanks Shop"),
        ("2", "{{ offers.thanks.title }}", "Danke"),
        ("1", "{% if 'gold' in segments and not segments.buyers %}x{% endif %}{{ profile_id }}", "1"),
        ("1", "{{ unsubscribe_url }}", "https://shop.example/u?p=1"),
        ("1", "{{ as_of | date('iso') }} {{ as_of | time }} {{ language }}", "2026-06-15 14:00 de"),
        ("1", "{% if tier == 'gold' %}g{% endif %}{% if illness is defined %}!{% endif %}", "g"),
    ],
)
def test_values_stand_in_the_manner_of_the_language(shop: ContentShop, who: str, text: str, expected: str) -> None:
    settings = "content: m\nallow: [illness]\n"

    assert body(shop, who, text, settings=settings) == expected


def test_events_are_the_newest_of_the_person_up_to_as_of(shop: ContentShop) -> None:
    settings = (
        "content: m\ntrigger: added\nevents:\n  cart: {event: added, at_most: 5, after: bought, per: sku}\n"
        "  all_added: {event: added}\n"
    )
    text = (
        "{% for one in cart %}{{ one.sku }}{{ one.price }} {% endfor %}|{{ all_added | length }}|"
        "{{ event.sku }} {{ event.price | money }} {{ event.time | date('short') }}{{ event.note | default('-') }}"
    )

    assert body(shop, "1", text, settings=settings) == "B25 C30 |4|B 25,00\u00a0€ 14.06.2026-"
    assert body(shop, "2", "{% for one in cart %}x{% endfor %}0", settings=settings) == "0"


def test_whoever_sends_brings_the_event_and_further_names(shop: ContentShop) -> None:
    extra = {"event": {"sku": "Q\r\nX", "price": None}, "arm": "b"}
    settings = "content: m\ntrigger: added\ngiven: [arm]\n"
    text = "{{ event.sku }}{{ event.price | default('?') }}{{ arm }}"

    assert body(shop, "1", text, settings=settings, extra=extra) == "Q X?b"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{ first_name }}", "first_name"),
        ("{{ balance | money }}", "balance"),
        ("{{ since | date }}", "since"),
        ("{{ 'Hallo ' ~ first_name }}", "first_name"),
        ("{% for a in tier %}{% endfor %}", "tier"),
        ("{{ event.sku }}", "event"),
        ("{{ balance + 1 }}", "balance"),
    ],
)
def test_nothing_is_sent_with_a_gap(shop: ContentShop, text: str, name: str) -> None:
    with pytest.raises(DataError) as caught:
        body(shop, "2", text, settings="content: m\ntrigger: added\n")

    assert caught.value.code == "SEG776"
    assert f"`{name}`" in caught.value.message


def test_defaults_fill_gaps_in_the_persons_language(shop: ContentShop) -> None:
    settings = "content: m\ndefaults: {first_name: {de: Du da, en: you there}}\n"

    assert body(shop, "2", "{{ first_name }}", settings=settings) == "Du da"
    assert body(shop, "2", "{{ first_name }}", settings=settings, language="en") == "you there"
    assert body(shop, "2", "{{ first_name | default('x') }}") == "x"


@pytest.mark.parametrize(
    ("files", "asked", "own", "expected"),
    [
        (("de", "en"), None, None, ("de", "de")),
        (("de", "en"), None, "en", ("en", "en")),
        (("de", "en"), None, "en-GB", ("en", "en-gb")),
        (("de", "en"), None, "fr", ("de", "de")),
        (("de", "en"), "en", "de", ("en", "en")),
        (("de", "en"), "fr", "en", ("en", "en")),
        (("en", "fr"), None, "nl", ("en", "en")),
        (("fr", "en"), None, None, ("en", "en")),
        (("",), None, "fr", ("", "fr")),
        (("",), None, None, ("", "de")),
        (("", "de"), None, "fr", ("", "fr")),
        (("", "de"), None, "de-AT", ("de", "de-at")),
        (("de-at", "de"), None, "de-AT", ("de-at", "de-at")),
        (("de-at",), None, "de", ("de-at", "de-at")),
        (("", "en"), None, None, ("", "de")),
    ],
)
def test_languages_fall_back(
    files: tuple[str, ...], asked: str | None, own: str | None, expected: tuple[str, str]
) -> None:
    from segctl.model.content import ContentTemplate, TemplateFile

    template = ContentTemplate("m", files=tuple(TemplateFile(f"content/m.{tag}", tag, "html") for tag in files))

    assert spoken(template, asked, own, "de") == expected


def test_a_message_speaks_one_language(shop: ContentShop) -> None:
    text = '---\nsubject: "s"\n---\n{{ offers.thanks.title }}'
    shop.write(shop__yaml=SHARED, m__en__html=text)

    assert mail(shop, "1").html == "Golden"


def test_people_are_written_to_in_their_language(shop: ContentShop) -> None:
    shop.write(shop__yaml=SHARED, m__de__html='---\nsubject: "D"\n---\nde', m__en__html='---\nsubject: "E"\n---\nen')
    with shop.session() as session:
        people = [find_person(session.workspace, str(nr))[0].subject for nr in range(1, 6)]

        found = [mail.subject_line for _, mail in render_many(session, "m", people, as_of=NOW)]

    assert found == ["D", "D", "D", "D", "E"]


def test_a_name_cannot_break_out_of_a_subject(shop: ContentShop) -> None:
    shop.write(
        shop__yaml=SHARED, m__html='---\nsubject: "Hallo {{ first_name }}"\npreheader: "{{ first_name }}"\n---\nx'
    )

    found = mail(shop, "3")

    assert found.subject_line == """Hallo "><script>alert(1)</script> Bcc: victim@shop.example"""
    assert found.subject_line.isprintable()
    message = EmailMessage(policy=SMTP)
    message["Subject"] = found.subject_line
    assert re.findall(rb"(?m)^Bcc:", message.as_bytes()) == []


def test_a_name_is_text_in_html_and_one_line_in_text(shop: ContentShop) -> None:
    shop.write(
        shop__yaml=SHARED, m__html='---\nsubject: "s"\n---\n<p>{{ first_name }}</p>', m__txt="A {{ first_name }} B"
    )

    found = mail(shop, "3")

    assert found.html == "<p>&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt; Bcc: victim@shop.example</p>"
    assert found.text == 'A "><script>alert(1)</script> Bcc: victim@shop.example B\n'
    assert mail(shop, "4").html == "<p>שלום 👩‍👩‍👧</p>"


LONG = "https://shop.example/illness-free/tier?p={{ profile_id | urlencode }}"


@pytest.mark.parametrize(
    ("url", "who", "expected"),
    [
        ("https://shop.example/u?p={{ first_name }}", "3",
         "https://shop.example/u?p=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%20Bcc%3A%20victim%40shop.example"),
        ("https://shop.example/u?p={{ first_name | urlencode }}&n=1", "1", "https://shop.example/u?p=Anna&n=1"),
        ("https://shop.example/{{ first_name | lower if first_name else '-' }}", "1", "https://shop.example/anna"),
        ("{{ values.site }}u?b={{ balance }}", "1", "https://shop.example/u?b=1.234%2C5"),
        # A path that holds the name of a trait speaks of none.
        (LONG, "1", "https://shop.example/illness-free/tier?p=1"),
    ],
)  # fmt: skip
def test_every_value_in_the_address_that_unsubscribes_is_encoded(
    shop: ContentShop, url: str, who: str, expected: str
) -> None:
    shared = f"unsubscribe_url: \"{url}\"\nvalues: {{site: 'https://shop.example/'}}\n"
    shop.write(shop__yaml=shared, m__html='---\nsubject: "s"\n---\n{{ unsubscribe_url }}')

    assert mail(shop, who).unsubscribe_url == expected
    assert [one for one in findings(shop) if one[1] == "shop.yaml"] == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://shop.example/u>, <mailto:evil@x.example", "SEG774"),
        ("https://shop.example/a b", "SEG774"),
        ("shop.example/u?p={{ profile_id }}", "SEG774"),
        ("javascript:alert(1)", "SEG774"),
        ("https://shop.example/{{ profile_ }}", "SEG769"),
        ("https://shop.example/{{ illness }}", "SEG770"),
        ("https://shop.example/{{ profile_id", "SEG768"),
    ],
)
def test_what_is_no_address_to_unsubscribe_is_found_before_anybody_gets_it(
    shop: ContentShop, url: str, code: str
) -> None:
    shop.write(shop__yaml=f"values: {{}}\nunsubscribe_url: '{url}'\n", m__html='---\nsubject: "s"\n---\nx')

    assert (code, "shop.yaml", 2) in findings(shop)
    with pytest.raises(SegctlError):
        mail(shop, "1")


def test_sensitive_traits_are_refused_unless_allowed(shop: ContentShop) -> None:
    with pytest.raises(DataError) as caught:
        body(shop, "1", "{{ illness }}")

    assert caught.value.code == "SEG770"


def test_missing_values_are_found_over_an_audience(shop: ContentShop) -> None:
    shop.write(
        shop__yaml=SHARED,
        m__yaml="content: m\ntrigger: added\n",
        m__html='---\nsubject: "{{ first_name }}"\n---\n{% if tier == "gold" %}{{ event.sku }}{% endif %}{{ balance }}',
    )
    with shop.session() as session:
        people = {find_person(session.workspace, str(nr))[0].subject: str(nr) for nr in range(1, 6)}

        checked = check_audience(session, ["m"], "buyers", as_of=NOW)

    gaps = {gap.name: [people[one] for one in gap.people] for gap in checked[0].gaps}
    assert gaps == {"first_name": ["2"], "balance": ["2"], "event": ["3"]}
    assert (checked[0].audience, checked[0].languages) == (4, (("", 4),))


def test_one_evaluation_gives_the_same_as_many(shop: ContentShop) -> None:
    shop.write(
        shop__yaml=SHARED,
        m__html='---\nsubject: "{{ offers.thanks.title }}"\n---\n{{ first_name | default("-") }}{{ profile_id }}',
    )
    with shop.session() as session:
        people = [find_person(session.workspace, str(nr))[0].subject for nr in range(1, 6)]

        together = dict(render_many(session, "m", people, as_of=NOW))
        alone = {one: render(session, "m", one, as_of=NOW) for one in people}

    assert together == alone


def test_the_digest_changes_with_whatever_decides_what_is_said(shop: ContentShop) -> None:
    def digest(shared: str = SHARED, part: str = "x", text: str = "{{ offers.thanks.title }}") -> str:
        shop.write(
            shop__yaml=shared,
            _part__html=part,
            m__html=f'---\nsubject: "s"\n---\n{{% include "_part.html.j2" %}}{text}',
        )
        return mail(shop, "1").template_digest

    first = digest()

    assert digest() == first
    others = {digest(SHARED.replace("Gold,", "Silber,")), digest(part="y"), digest(text="{{ offers.thanks.title }}!")}
    assert len(others | {first}) == 4


def test_a_preview_shows_names_instead_of_personal_values(shop: ContentShop) -> None:
    shop.write(shop__yaml=SHARED, m__html='---\nsubject: "{{ first_name }}"\n---\n{{ balance | money }}')
    with shop.session() as session:
        hidden = preview(session, "m", "1", as_of=NOW)
        shown = preview(session, "m", "1", as_of=NOW, show_personal=True)

    assert (hidden.rendered.subject_line, hidden.hidden) == ("‹Vorname›", ("first_name",))
    assert (shown.rendered.subject_line, shown.hidden) == ("Anna", ())
    assert hidden.rendered.html == shown.rendered.html == "1.234,50\u00a0€"


def test_an_unknown_template_and_another_channel_are_told(shop: ContentShop) -> None:
    shop.write(m__html='---\nsubject: "s"\n---\nx', shop__yaml=SHARED)
    with shop.session() as session:
        with pytest.raises(UsageError, match="there is no content `n`"):
            render(session, "n", 0, as_of=NOW)
        with pytest.raises(UsageError, match="is for `email`"):
            render(session, "m", 0, as_of=NOW, channel="sms")
        with pytest.raises(SegctlError) as caught:
            render(session, "m", 999, as_of=NOW)

    assert caught.value.code == "SEG778"


def findings(shop: ContentShop) -> set[tuple[str, str, int]]:
    with shop.session() as session:
        found = template_findings(session.definitions)
    return {
        (d.code, Path(d.location.file).name if d.location else "", d.location.line if d.location else 0) for d in found
    }


def test_lint_finds_what_a_template_gets_wrong(shop: ContentShop) -> None:
    shop.write(
        shop__yaml="language: {trait: language_tag, tags: {x: en}}\n" + SHARED.split("\n", 2)[2],
        m__yaml="content: m\npurpose: news\ntrigger: added\nevents: {cart: {event: added}}\n",
        m__de__html='---\nsubject: "{{ fist_name }}"\n---\n<html lang="de"><title>t</title>\n{{ event.skuu }}\n'
        "{{ offers.thanks.titel }}\n{% for a in cart %}\n{{ a.prise }}{% endfor %}\n{{ 'silver' in segments }}\n"
        '{% for s in segments %}{% endfor %}\n{{ illness }}\n<a href="{{ country }}">Zum Laden</a>\n'
        '<img src="a.png">\n<!-- {{ tier }} -->\n</html>',
        broken__html='---\nsubject: "s"\n---\n\n{% if %}',
        deep__html='---\nsubject: "s"\n---\n{% include "_a.html.j2" %}',
        _a__html='\n{% include "_a.html.j2" %}',
    )

    assert findings(shop) == {
        ("SEG769", "m.de.html.j2", 2), ("SEG769", "m.de.html.j2", 5), ("SEG769", "m.de.html.j2", 6),
        ("SEG769", "m.de.html.j2", 8), ("SEG769", "m.de.html.j2", 9), ("SEG771", "m.de.html.j2", 10),
        ("SEG770", "m.de.html.j2", 11), ("SEG775", "m.de.html.j2", 12), ("SEG773", "m.de.html.j2", 13),
        ("SEG775", "m.de.html.j2", 14), ("SEG774", "m.de.html.j2", 1), ("SEG774", "m.yaml", 1),
        ("SEG772", "m.de.html.j2", 1), ("SEG768", "broken.html.j2", 5), ("SEG768", "_a.html.j2", 2),
    }  # fmt: skip


def test_a_purpose_is_written_where_it_is_read(shop: ContentShop) -> None:
    shop.write(bare__txt='---\nsubject: "s"\n---\nSome words that stand in a letter.\n')
    with shop.session() as session:
        hints = {d.hint or "" for d in template_findings(session.definitions) if d.code == "SEG774"}

    assert [hint for hint in hints if hint.startswith("write `purpose: NAME` in `content/bare.yaml`")]


@pytest.mark.parametrize(
    ("yaml", "code"),
    [
        ("content: m\ntrigger: addd\n", "SEG767"),
        ("content: m\ndefaults: {first_nam: x}\n", "SEG767"),
        ("content: m\npurpose: new\n", "SEG767"),
        ("content: m\ngiven: [first_name]\n", "SEG766"),
        ("content: m\nevents: {event: {event: added}}\n", "SEG766"),
        ("content: other\n", "SEG766"),
        ("offers: {a: [{segment: gold, t: x}]}\n", "SEG766"),
        ("offers: {a: [{t: x}, {segment: gold, t: x}]}\n", "SEG766"),
        ("offers: {a: [{segment: gold, t: x}, {u: x}]}\n", "SEG766"),
        ("offers: {a: [{segment: golden, t: x}, {t: x}]}\n", "SEG767"),
        ("values: {a: {deutsch!: x}}\n", "SEG766"),
        ("recommendations: {a: {bought: {event: bought, product: skuu}}}\n", "SEG767"),
        ("recommendations: {a: {bought: {event: bought, product: sku}, fields: [colour]}}\n", "SEG767"),
        ("language: {trait: lang}\n", "SEG767"),
        ("ofers: {}\n", "SEG210"),
    ],
)
def test_settings_are_checked_with_places(shop: ContentShop, yaml: str, code: str) -> None:
    from segctl.compile.definitions import load_definitions
    from segctl.compile.project import load_project

    shop.write(x__yaml=yaml, m__html='---\nsubject: "s"\n---\nx')

    found = load_definitions(load_project(shop.folder)[0])[1]

    assert {(d.code, d.location is not None) for d in found} == {(code, True)}
