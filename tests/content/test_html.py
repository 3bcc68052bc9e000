"""Plain text from HTML, colours, and what keeps people from reading a mail."""

from __future__ import annotations

import pytest

from segctl.content.colours import colour_of, contrast
from segctl.content.html_checks import check_html
from segctl.content.plain_text import plain_text
from segctl.content.skeleton import Skeleton, Value

WHOLE = '<html lang="de"><head><title>t</title></head><body>{}</body></html>'


def said(html: str, *values: Value) -> list[str]:
    flat = Skeleton(values=list(values))
    flat.add(WHOLE.format(html), "m.html.j2", 1)
    return [finding.message for finding in check_html(flat)]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<img src="a.png">', "has no `alt`"),
        ("<h2>x</h2>", "first heading is `<h2>`"),
        ("<h1>x</h1><h3>y</h3>", "`<h3>` follows `<h1>`"),
        ('<a href="https://a.example">hier</a>', "says only `hier`"),
        ('<a href="https://a.example"><b>Click here!</b></a>', "says only `click here`"),
        ('<a href="https://a.example"></a>', "has no text"),
        ("<table><tr><td>x</td></tr></table>", "read aloud as a table"),
        ('<p style="color: #888">x</p>', "contrast of 3.5"),
        ('<div style="background: #000"><p>x</p></div>', "contrast of 1.0"),
        ("<script>x</script>", "`<script>` does not work"),
        ('<p onclick="x()">x</p>', "`onclick` runs a script"),
        ('<a href="javascript:x()">Zum Laden</a>', "begins with a script"),
        ('<meta http-equiv="refresh" content="0">', "cannot lead on"),
        ("x" * 102_000, "Gmail cuts at 102 kB"),
    ],
)
def test_what_keeps_people_from_reading_is_found(html: str, words: str) -> None:
    found = said(html)

    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    "html",
    [
        '<img src="a.png" alt=""><h1>x</h1><h2>y</h2><h2>z</h2><h3>w</h3>',
        '<a href="https://a.example"><img src="a.png" alt="Zum Laden"></a>',
        '<a href="https://a.example" aria-label="Zum Laden">›</a>',
        '<table role="presentation"><tr><td>x<table><tr><th>y</th></tr></table></td></tr></table>',
        '<p style="color: #767676">x</p><p style="color: #949494; font-size: 24px">x</p>',
        '<div style="background-color: #0b5394; color: white"><p>x</p></div>',
        '<p style="color: rgba(0, 0, 0, 0.2)">x</p>',
    ],
)
def test_what_can_be_read_is_no_finding(html: str) -> None:
    assert said(html) == []


def test_a_mail_without_its_frame_is_told() -> None:
    flat = Skeleton()
    flat.add("<p>x</p>", "m.html.j2", 1)

    assert [finding.message for finding in check_html(flat)] == ["the mail has no `<html>`", "the mail has no title"]


@pytest.mark.parametrize(
    ("html", "is_harm"),
    [
        ('<a href="\ue0000\ue001">Zum Laden</a>', True),
        ('<a href=" \ue0000\ue001">Zum Laden</a>', True),
        ('<a href="https://a.example/\ue0000\ue001">Zum Laden</a>', False),
        ("<p title=\ue0000\ue001>x</p>", True),
        ('<p title="\ue0000\ue001">x</p>', False),
        ('<p style="width: \ue0000\ue001">x</p>', True),
        ("<style>.\ue0000\ue001 {}</style>", True),
        ("<!-- \ue0000\ue001 -->", True),
        ("<p>\ue0000\ue001</p>", False),
    ],
)
def test_values_of_people_stand_only_where_they_are_text(html: str, is_harm: bool) -> None:
    theirs, ours = Value("city", (), is_ours=False), Value("offers", (), is_ours=True)

    assert bool(said(html, theirs)) is is_harm
    assert [words for words in said(html, ours) if "without quotes" not in words] == []


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>A</h1><p>b  <b>c</b>\n d</p>", "A\n\nb c d"),
        ('<p>Hier <a href="https://a.example">klicken</a>.</p>', "Hier klicken (https://a.example)."),
        ('<a href="https://a.example">https://a.example</a>', "https://a.example"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ("<ul><li>eins</li><li>zwei</li></ul>", "- eins\n- zwei"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ('<div style="display:none">x</div><p>y</p>', "y"),
        ("<style>p {}</style><title>t</title><p>&lt;b&gt; &amp; ä</p>", "<b> & ä"),
        ('<img src="a" alt="Logo"> x<br>y', "Logo x\ny"),
        ("", ""),
        ("<p>a</p><p></p><p> </p><p>b</p>", "a\n\nb"),
        ("<div><span style='display: none'>x</div><p>y</p>", "y"),
    ],
)
def test_plain_text_says_what_the_html_says(html: str, text: str) -> None:
    assert plain_text(html) == text


def test_contrast_is_that_of_wcag() -> None:
    # #767676 is the lightest grey that passes on white: 4.54, as WCAG 2.2 reckons.
    assert round(contrast((0x76, 0x76, 0x76), (255, 255, 255)), 2) == 4.54
    assert contrast((1, 2, 3), (1, 2, 3)) == 1
    assert colour_of("#FFF") == (255, 255, 255)
    assert colour_of("rgb(1, 2,3)") == (1, 2, 3)
    assert colour_of("transparent") is None
