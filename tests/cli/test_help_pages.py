"""The pages of help: golden bytes, width, order, and that nothing is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_process import Finished

from segctl.cli import helptext, reference
from segctl.cli.commands import help as help_command
from segctl.cli.options import SHARED, Option
from segctl.cli.table import COMMANDS, GROUPS
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from conftest import Golden

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "help"
Run = Callable[..., Finished]


@pytest.mark.parametrize("verb", COMMANDS)
def test_the_page_of_a_verb_is_the_agreed_one(verb: str, golden: Golden) -> None:
    golden.compare(helptext.verb_page(verb), GOLDEN / f"{verb}.txt")


def test_the_first_page_is_the_agreed_one(golden: Golden) -> None:
    golden.compare(helptext.root_page(), GOLDEN / "segctl.txt")


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_page_fits_eighty_columns_and_keeps_the_order(verb: str) -> None:
    page = helptext.verb_page(verb)

    assert max(map(len, page.splitlines())) <= 80
    order = [page.index(word) for word in ("Usage:", "Examples:", "Shared options:", "Exit codes", "See also:")]
    assert order == sorted(order)
    assert 2 <= len(COMMANDS[verb].module.EXAMPLES) <= 5


@pytest.mark.parametrize("verb", COMMANDS)
def test_examples_are_calls_that_parse(verb: str) -> None:
    import shlex
    from datetime import UTC, datetime

    from segctl.cli import app

    for line, _ in COMMANDS[verb].module.EXAMPLES:
        for command in re.split(r" \| | && | > ", line):
            words = shlex.split(command.partition(" < ")[0])
            if words[:1] == ["segctl"]:
                assert app.parse(words[1:], datetime(2026, 1, 1, tzinfo=UTC)).context.verb == words[1]


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_option_has_words(verb: str) -> None:
    for parameter in helptext.verb_spec(verb).parameters:
        assert parameter.declared.help.endswith((".", "?")), parameter.name


def test_every_group_is_on_the_first_page() -> None:
    page = helptext.root_page()

    assert all(f"{title}:" in page for title in GROUPS.values())
    assert all(re.search(rf"^  {verb} +{re.escape(c.summary)}$", page, re.MULTILINE) for verb, c in COMMANDS.items())
    assert max(map(len, page.splitlines())) <= 80


def test_every_variable_is_documented() -> None:
    text = help_command.topic_text("environment")

    for parameter in SHARED.values():
        assert isinstance(parameter.declared, Option)
        assert re.search(rf"\b{parameter.declared.variable} +{parameter.declared.flags[-1]}\b", text), parameter.name


def test_every_exit_code_is_documented() -> None:
    text = help_command.topic_text("exit-codes")

    for code in ExitCode:
        if code:
            assert re.search(rf"^  {int(code)} +\w", text, re.MULTILINE), code
        assert helptext.EXIT_MEANINGS[code]


@pytest.mark.parametrize("topic", help_command.topics())
def test_a_topic_prints_within_eighty_columns(topic: str, run: Run) -> None:
    done = run("help", topic)

    assert (done.code, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80


def test_the_topic_on_segments_names_every_kind_operator_and_measure() -> None:
    from segctl.compile.bind.conditions import KINDS
    from segctl.compile.bind.measures import MEASURES
    from segctl.compile.bind.operators import OPERATORS
    from segctl.compile.bind.times import TIME_OPERATORS

    words = set(re.findall(r"\w+", help_command.topic_text("segments")))

    assert {*KINDS, *MEASURES, *OPERATORS, *TIME_OPERATORS} - words == set()


def test_the_example_of_the_topic_on_segments_is_a_segment(run: Run, tmp_path: Path) -> None:
    text = help_command.topic_text("segments")
    example = text[text.index("  segment:") : text.index("Conditions\n")]
    run("init", str(tmp_path))
    (tmp_path / "experiments" / "winback_mail.yaml").unlink()  # it would miss the shop's destination
    (tmp_path / "segments" / "winback.yaml").write_text(re.sub("^  ", "", example, flags=re.MULTILINE), "utf-8")

    done = run("lint", "--project", str(tmp_path))

    assert re.fullmatch(r"0 errors in \d+ files\n", done.out)


def test_a_code_is_explained_whatever_its_case(run: Run) -> None:
    done = run("help", "seg101")

    assert done.out.startswith("SEG101: ")
    assert "What to do:" in done.out


def test_the_list_of_help_names_topics_and_verbs(run: Run) -> None:
    out = run("help").out

    assert "missing-values" in out
    assert "quarantine" in out
    assert max(map(len, out.splitlines())) <= 80
    # What a line has no room for stands below its beginning, never in the column of the headings.
    assert [line for line in out.splitlines() if re.match(r"\S", line) and not re.match(r"[A-Z][a-z]+: ?", line)] == []


def test_the_surface_as_json_names_every_option(run: Run) -> None:
    surface = json.loads(run("help", "--json").out)

    (apply,) = [verb for verb in surface["verbs"] if verb["name"] == "apply"]
    assert {"--as-of", "--select"} <= {flag for p in apply["parameters"] for flag in p.get("flags", ())}
    assert {entry["code"] for entry in surface["exit_codes"]} == {int(code) for code in ExitCode}


def test_the_reference_holds_every_verb() -> None:
    text = reference.markdown()

    assert [verb for verb in COMMANDS if f"### segctl {verb}\n" not in text] == []
