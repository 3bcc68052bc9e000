"""YAML with positions: what was written stays what was written, and nothing hostile gets far."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from segctl.compile import source
from segctl.compile.source import ListNode, Mapping, Scalar, compose, compose_file, walk
from segctl.model.diagnostics import Severity


def only_problem(text: str | bytes) -> tuple[str, int, int, str, str | None]:
    _, problems = compose(text, "f.yaml")
    assert len(problems) == 1, problems
    found = problems[0]
    assert found.location is not None
    return found.code, found.location.line, found.location.column, found.message, found.hint


@pytest.mark.parametrize("written", ["NO", "on", "012", "1:30", "1e3", "0x1F", "2026-11-01", "1_000", ".5", "yes"])
def test_a_scalar_stays_the_text_that_was_written(written: str) -> None:
    node, problems = compose(f"country: {written}", "f.yaml")

    assert problems == []
    assert isinstance(node, Mapping)
    value = node.get("country")
    assert isinstance(value, Scalar)
    assert (value.text, value.is_plain) == (written, True)


@pytest.mark.parametrize("written", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_null_only_without_quotes(written: str) -> None:
    plain, _ = compose(f"a: {written}", "f.yaml")
    quoted, _ = compose(f'a: "{written}"', "f.yaml")

    assert isinstance(plain, Mapping)
    assert isinstance(quoted, Mapping)
    one, other = plain.get("a"), quoted.get("a")
    assert isinstance(one, Scalar)
    assert one.is_null
    assert isinstance(other, Scalar)
    assert not other.is_null


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_positions_count_characters_and_lines_from_one(line_end: str) -> None:
    node, _ = compose(line_end.join(["título: ä", "b:", "  - {ö: 'grün', c: 1}"]), "f.yaml")

    places = {
        part.text: (part.location.line, part.location.column, part.location.length)
        for part in walk(node)
        if isinstance(part, Scalar)
    }
    assert places == {
        "título": (1, 1, 6), "ä": (1, 9, 1), "b": (2, 1, 1), "ö": (3, 6, 1), "grün": (3, 9, 6), "c": (3, 17, 1),
        "1": (3, 20, 1),
    }  # fmt: skip


def test_a_byte_order_mark_does_not_shift_positions() -> None:
    for text in ("\ufeffa: 1", b"\xef\xbb\xbfa: 1"):
        node, problems = compose(text, "f.yaml")
        assert problems == []
        assert isinstance(node, Mapping)
        assert node.location.column == 1
        assert node.names == ("a",)


def test_flow_collections_are_underlined_whole() -> None:
    node, _ = compose("a: [x, yy]", "f.yaml")

    assert isinstance(node, Mapping)
    assert node.get("a") == ListNode(
        (Scalar("x", True, source.Location("f.yaml", 1, 5)), Scalar("yy", True, source.Location("f.yaml", 1, 8, 2))),
        source.Location("f.yaml", 1, 4, 7),
    )


def test_a_duplicate_key_is_an_error_at_the_second_and_the_first_holds() -> None:
    node, problems = compose("a: 1\nb: 2\na: 3", "f.yaml")

    assert [(d.code, str(d.location), d.why) for d in problems] == [
        ("SEG202", "f.yaml:3:1", "it stands already in line 1")
    ]
    assert isinstance(node, Mapping)
    value = node.get("a")
    assert isinstance(value, Scalar)
    assert value.text == "1"


def test_small_aliases_repeat_a_value() -> None:
    node, problems = compose("a: &x [1, 2]\nb: *x", "f.yaml")

    assert problems == []
    assert isinstance(node, Mapping)
    assert node.get("a") == node.get("b")


@pytest.mark.parametrize(
    ("text", "code", "place", "part"),
    [
        pytest.param("a: !!str 5", "SEG203", (1, 4), "`!!str`", id="tag"),
        pytest.param("a: !include x", "SEG203", (1, 4), "`!include`", id="own tag"),
        pytest.param("a: !!python/object:os.system x", "SEG203", (1, 4), "`!!python", id="python tag"),
        pytest.param("a: ! x", "SEG203", (1, 4), "tag `!`", id="non-specific tag"),
        pytest.param("a: &b 1\nc: {<<: *b}", "SEG203", (2, 5), "`<<`", id="merge"),
        pytest.param("a: *nobody", "SEG203", (1, 4), "`*nobody`", id="alias to nothing"),
        pytest.param("a: &a [*a]", "SEG203", (1, 8), "`*a`", id="alias to itself"),
        pytest.param("a: 1\n---\nb: 2", "SEG203", (2, 1), "second document", id="two documents"),
        pytest.param("? [a]\n: 1", "SEG203", (1, 3), "key", id="list as key"),
        pytest.param("", "SEG206", (1, 1), "empty", id="empty"),
        pytest.param("\n# x\n", "SEG206", (1, 1), "empty", id="only a comment"),
        pytest.param("---\n", "SEG206", (1, 1), "empty", id="only a document start"),
        pytest.param("null", "SEG206", (1, 1), "empty", id="only null"),
        pytest.param(b"a: \xe4", "SEG200", (1, 4), "0xe4", id="cp1252"),
        pytest.param("ö: 1\nä: ".encode() + b"\xff", "SEG200", (2, 4), "0xff", id="position counts characters"),
        pytest.param("a: 1".encode("utf-16"), "SEG200", (1, 1), "UTF-16", id="utf-16"),
        pytest.param("a: 1\nb: x\x00y", "SEG200", (2, 5), "NUL", id="NUL"),
        pytest.param("a: \x1b[31m", "SEG200", (1, 4), "U+001B", id="escape"),
        pytest.param("a: x\u2028y", "SEG200", (1, 5), "U+2028", id="line separator"),
        pytest.param("a: \ud800", "SEG200", (1, 4), "U+D800", id="half a surrogate pair"),
        pytest.param("a:\n\tb: 1", "SEG201", (2, 1), "tab", id="tab"),
    ],
)
def test_what_yaml_may_do_and_definitions_may_not(
    text: str | bytes, code: str, place: tuple[int, int], part: str
) -> None:
    found = only_problem(text)

    assert found[0] == code
    assert found[1:3] == place
    assert part in found[3]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("title: A: B", (1, 9), 'write `title: "A: B"`'),
        ("- title: A: B", (1, 11), 'write `- title: "A: B"`'),
        ('title: Die "Neuen": Teil 1', (1, 19), 'write `title: "Die \\"Neuen\\": Teil 1"`'),
        ("title: @home", (1, 8), 'write `title: "@home"`'),
        ("title: %x", (1, 8), 'write `title: "%x"`'),
        ("title: `x`", (1, 8), 'write `title: "`x`"`'),
        ("title: [Neu] Aktion\nb: 1", (1, 14), 'write `title: "[Neu] Aktion"`'),
        ("title: 'x' y", (1, 12), "write `title: \"'x' y\"`"),
        ("title: 'it's'", (1, 12), 'write `title: "it\'s"`'),
        ("event: *", (1, 9), 'write `"*"` in quotes'),
        ("country:DE\nb: 1", (1, 1), "write `country: DE`"),
        ("b: 1\ncountry:DE", (2, 1), "write `country: DE`"),
        ("a: 1\n b: 2", (2, 2), "let keys of one mapping start in one column"),
        ("just words\na: 1", (1, 1), "every line of a mapping needs `: ` between key and value"),
        ('matches: "\\d"', (1, 12), "use single quotes: '\\d' stays as it is"),
        ('title: "open', (1, 8), "close it, on the same line"),
        ("a: [1, 2", (1, 4), "check brackets and commas"),
    ],
)
def test_a_typing_accident_gets_the_mended_line(text: str, place: tuple[int, int], hint: str) -> None:
    code, line, column, _, found = only_problem(text)

    assert code == "SEG201"
    assert found == hint
    assert abs(column - place[1]) <= 2
    assert line == place[0]


def test_a_number_sign_that_cuts_a_title_is_told() -> None:
    node, problems = compose("title: Aktion # 1\nb: x#2\nc: 3 # 4\nd: y  # a remark", "f.yaml")

    assert isinstance(node, Mapping)
    assert [(d.code, d.severity, str(d.location), d.hint) for d in problems] == [
        ("SEG208", Severity.WARNING, "f.yaml:1:8", 'write `"Aktion # 1"` if the number belongs to it')
    ]


def test_an_empty_value_remembers_the_comment_behind_it() -> None:
    node, problems = compose("a: # 1\nb:\nc: {d: } # no", "f.yaml")

    assert problems == []
    assert isinstance(node, Mapping)
    values = [node.get("a"), node.get("b")]
    assert [value.comment for value in values if isinstance(value, Scalar)] == ["# 1", None]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]" for i in range(9)
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BOMB, id="a billion laughs"),
        pytest.param("x" * 10_000_000, id="10 MB scalar"),
        pytest.param("a: '" + "x" * 1_990_000, id="open quote"),
        pytest.param("[" * 1_000_000, id="open lists"),
        pytest.param("{a: " * 400_000, id="open mappings"),
        pytest.param("- " * 900_000, id="block lists"),
        pytest.param("? " * 900_000, id="complex keys"),
        pytest.param("a: 1\n" * 390_000, id="one key many times"),
        pytest.param("- 1\n" * 490_000, id="many items"),
        pytest.param("&a " * 600_000, id="anchors"),
        pytest.param("!" * 1_900_000, id="tags"),
        pytest.param('"' * 1_900_000, id="quotes"),
        pytest.param("a:" * 900_000, id="colons"),
        pytest.param(": " * 900_000, id="empty keys"),
        pytest.param("%" * 1_900_000, id="directives"),
        pytest.param("a: >\n" + " " * 1_900_000 + "\n\t", id="blanks"),
    ],
)
def test_hostile_yaml_gives_a_diagnostic_soon(text: str) -> None:
    started = time.process_time()
    node, problems = compose(text, "f.yaml")
    elapsed_s = time.process_time() - started

    assert problems
    assert node is None
    assert len(problems) < 60_000
    assert elapsed_s < 2.0  # measured below 0.5 s; generous for slow machines
    assert all(len(d.message) < 300 and len(d.hint or "") < 300 for d in problems)


def test_nesting_up_to_the_limit_is_fine() -> None:
    text = "[" * source.MAX_DEPTH + "]" * source.MAX_DEPTH

    assert compose(text, "f.yaml")[1] == []
    assert [d.code for d in compose(f"[{text}]", "f.yaml")[1]] == ["SEG205"]


def test_repetitions_count_in_full() -> None:
    many = f"a: &a [{', '.join(['x'] * 99)}]\nb: [{', '.join(['*a'] * 900)}]"
    more = many.replace("b:", "c: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nd: [" + ", ".join(["*a"] * 100) + "]\nb:")

    assert compose(many, "f.yaml")[1] == []
    assert [d.code for d in compose(more, "f.yaml")[1]] == ["SEG205"]


def test_the_pure_python_parser_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "a: 1\nb: [x, 'y']\nc: {d: 012}",
        "a: 1\na: 2",
        "a: !!str x",
        "title: A: B",
        "a: *x",
        "a: b # 1",
        "a:\n\tb: 1",
    ]
    fast = [compose(text, "f.yaml") for text in texts]

    monkeypatch.delattr(source.yaml, "CSafeLoader")

    for text, (node, problems) in zip(texts, fast, strict=True):
        slow_node, slow_problems = compose(text, "f.yaml")
        assert slow_node == node
        assert [d.code for d in slow_problems] == [d.code for d in problems]


def test_a_file_that_is_missing_or_huge_gives_a_diagnostic(tmp_path: Path) -> None:
    huge, pipe = tmp_path / "huge.yaml", tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    huge.write_bytes(b"x" * (source.MAX_BYTES + 1))

    assert [d.code for d in compose_file(tmp_path / "none.yaml", "none.yaml")[1]] == ["SEG200"]
    assert [d.code for d in compose_file(tmp_path, "folder.yaml")[1]] == ["SEG200"]
    assert [d.code for d in compose_file(pipe, "pipe.yaml")[1]] == ["SEG200"]
    assert [d.code for d in compose_file(huge, "huge.yaml")[1]] == ["SEG205"]
