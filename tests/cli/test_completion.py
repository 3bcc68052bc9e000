"""Completion: names from the index, generated scripts, and a TAB press in real shells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_process import ROOT, Finished, environment

from segctl.cli import complete, scripts
from segctl.cli.table import COMMANDS
from segctl.compile import kinds, selection
from segctl.compile.suggest import is_keyword_of

if TYPE_CHECKING:
    from conftest import Golden

Run = Callable[..., Finished]


# --- Names -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("segments", [("vip", "Beste Kunden"), ("winback", "")]),
        ("traits", [("country", ""), ("lifetime_value", "computed"), ("tier", "")]),
        ("events", [("order_completed", "")]),
        ("sources", [("orders", "")]),
        ("tags", [("daily", "tag"), ("recovery", "tag")]),
        ("environments", []),
        ("nonsense", []),
    ],
)
def test_names_come_from_the_files_of_the_project(
    small_project: Path, kind: str, expected: list[tuple[str, str]]
) -> None:
    assert [tuple(name) for name in complete.names(kind, str(small_project))] == expected


def test_purposes_are_completed(small_project: Path) -> None:
    with (small_project / "segctl.yaml").open("a", encoding="utf-8") as file:
        file.write("purposes:\n  newsletter: {title: News, basis: consent, channels: [email]}\n  service:\n")

    assert complete.names("purposes", str(small_project)) == [("newsletter", ""), ("service", "")]


def test_cases_are_completed_as_words_that_choose_them(small_project: Path) -> None:
    (small_project / "tests/eu").mkdir(parents=True)
    cases = ["the last of 2 orders", 'Müller\'s "big" (day); $x', "plain"]
    lines = "".join(f"  - case: {json.dumps(name, ensure_ascii=False)}\n    given: {{}}\n" for name in cases[:2])
    (small_project / "tests/eu/vip.yaml").write_text(f"cases:\n{lines}  - {{case: plain}}\n", "utf-8")

    found = dict(complete.names("cases", str(small_project)))

    assert set(found) == {"vip", "the_last_of_2_orders", "Müller_s_big_day_x", "plain"}
    for word in set(found) - {"vip"}:
        assert sum(is_keyword_of(word, f"tests/eu/vip.yaml::{name}") for name in cases) == 1


def test_sister_segments_are_completed_by_the_names_they_get(small_project: Path) -> None:
    head = 'segment: fans_of_{category}\ntitle: "Mag {category}"\n'
    (small_project / "segments/fans.yaml").write_text(
        head + 'for_each: {category: [Jacken, "Größe XL"]}  # two\nwhere: {event: order_completed}\n', "utf-8"
    )
    # Items in a file are not looked up at every TAB.
    listed = head.replace("fans", "buyers") + "for_each: {list: lists/categories.csv}\n"
    (small_project / "segments/buyers.yaml").write_text(listed, "utf-8")

    names = dict(complete.names("segments", str(small_project)))

    assert names["fans_of_jacken"] == "Mag Jacken"
    assert names["fans_of_groesse_xl"] == "Mag Größe XL"
    assert not any("{" in name or "buyers" in name for name in names)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("v", ["vip"]),
        ("tag:", ["tag:daily", "tag:recovery"]),
        ("path:", ["path:segments", "path:segments/eu"]),
        ("state:", ["state:new", "state:modified", "state:unmodified"]),
        ("+w", ["+winback"]),
        ("2+vip,st", ["2+vip,status:draft", "2+vip,status:active", "2+vip,status:paused", "2+vip,state:new",
                      "2+vip,state:modified", "2+vip,state:unmodified"]),
        ("nothing,x", []),
    ],
)  # fmt: skip
def test_the_last_part_of_a_selection_is_completed(
    small_project: Path, run: Run, prefix: str, expected: list[str]
) -> None:
    lines = run("__complete", "selections", prefix, cwd=small_project).out.splitlines()

    assert [line.partition("\t")[0] for line in lines] == expected


def test_values_of_properties_are_those_that_a_selection_knows() -> None:
    assert complete._FIXED == {
        "kind": kinds.KINDS, "status": selection.STATUSES, "state": selection.STATES, "result": selection.RESULTS
    }  # fmt: skip


def test_things_carry_their_kind(small_project: Path) -> None:
    names = [name for name, _ in complete.names("things", str(small_project))]

    assert names[0] == "segment:vip"
    assert {"trait:lifetime_value", "event:order_completed", "source:orders"} <= set(names)


def test_names_are_found_from_below_the_project(small_project: Path, run: Run) -> None:
    assert run("__complete", "segments", "w", cwd=small_project / "segments" / "eu").out == "winback\t\n"


def test_the_index_is_kept_and_used(small_project: Path) -> None:
    index = small_project / ".segctl" / "names.json"
    complete.names("segments", str(small_project))
    kept = json.loads(index.read_text("utf-8"))
    kept["names"]["segments"].append(["from_the_index", ""])
    index.write_text(json.dumps(kept), "utf-8")

    assert ["from_the_index", ""] in [list(n) for n in complete.names("segments", str(small_project))]


@pytest.mark.parametrize("change", ["new", "edited", "same size", "removed"])
def test_the_index_is_rebuilt_when_a_file_changes(small_project: Path, change: str) -> None:
    complete.names("segments", str(small_project))
    vip = small_project / "segments" / "vip.yaml"
    if change == "new":
        (small_project / "segments" / "new.yaml").write_text("segment: brand_new\n", "utf-8")
    elif change == "edited":
        vip.write_text("segment: renamed\n", "utf-8")
    elif change == "same size":
        vip.write_text(vip.read_text("utf-8").replace("vip", "vap"), "utf-8")
    else:
        vip.unlink()

    names = [name for name, _ in complete.names("segments", str(small_project))]

    expected = {
        "new": ["brand_new", "vip", "winback"],
        "edited": ["renamed", "winback"],
        "same size": ["vap", "winback"],
        "removed": ["winback"],
    }
    assert names == expected[change]


def test_a_broken_index_is_ignored(small_project: Path) -> None:
    (small_project / ".segctl" / "names.json").write_text('{"signature": 1, "names"', "utf-8")

    assert complete.names("sources", str(small_project)) == [("orders", "")]


def test_without_a_workspace_nothing_is_written(small_project: Path) -> None:
    shutil.rmtree(small_project / ".segctl")

    assert complete.names("sources", str(small_project)) == [("orders", "")]
    assert not (small_project / ".segctl").exists()


@pytest.mark.parametrize(
    "arguments",
    [(), ("segments",), ("segments", "x", "/nowhere"), ("runs", ""), ("\x01", "\x02"), ("segments", "", "\0")],
)
def test_a_tab_press_never_fails_loudly(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    if any("\0" in a for a in arguments):
        assert complete.answer(list(arguments)) == 0
        return
    assert run("__complete", *arguments) == Finished(0, "", "")


def test_hostile_definition_files_do_not_break_a_tab_press(small_project: Path) -> None:
    (small_project / "segments" / "bytes.yaml").write_bytes(b"\xff\xfe\x00segment: x\n")
    (small_project / "segments" / "long.yaml").write_bytes(b"title: " + b"x" * 1_000_000)
    (small_project / "segments" / "tab.yaml").write_text("segment: tab\ntitle: a\tb\n", "utf-8")
    os.symlink(small_project, small_project / "segments" / "loop")

    names = dict(complete.names("segments", str(small_project)))

    assert {"vip", "winback", "tab"} <= set(names)
    assert names["tab"] == "a b"


def test_runs_are_read_from_the_workspace(small_project: Path) -> None:
    import sqlite3
    from contextlib import closing

    (small_project / ".segctl" / "dev").mkdir()
    with closing(sqlite3.connect(small_project / ".segctl" / "dev" / "state.db")) as database:
        database.execute("CREATE TABLE runs (id INTEGER PRIMARY KEY, as_of INTEGER)")
        database.execute("INSERT INTO runs VALUES (7, 1795042799999999)")
        database.commit()

    assert complete.names("runs", str(small_project)) == [("7", "2026-11-18 22:59 UTC")]


# --- Scripts ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shell", scripts.SHELLS)
def test_the_scripts_in_the_repository_are_the_generated_ones(shell: str, golden: Golden) -> None:
    golden.compare(scripts.SHELLS[shell](), ROOT / "completions" / scripts.FILE_NAMES[shell])


@pytest.mark.parametrize("shell", scripts.SHELLS)
def test_a_script_knows_every_verb_and_option(shell: str) -> None:
    text = scripts.SHELLS[shell]()

    for verb in COMMANDS:
        for option in scripts.completed(verb)[0]:
            for flag in option.flags:
                bare = flag.lstrip("-")
                spellings = (flag, f"-l {bare}", f"-s {bare}")
                assert any(spelling in text for spelling in spellings), (verb, flag)


def test_show_prints_the_script(run: Run) -> None:
    assert run("completion", "show", "bash").out == scripts.bash()


def test_install_writes_its_own_file_and_says_which(run: Run, tmp_path: Path) -> None:
    done = run("completion", "install", "--shell", "fish")

    path = tmp_path / ".config" / "fish" / "completions" / "segctl.fish"
    assert done.code == 0
    assert f"wrote {path}" in done.err
    assert path.read_text("utf-8") == scripts.fish()


def test_install_takes_the_shell_from_the_environment(run: Run, tmp_path: Path) -> None:
    done = run("completion", "install", "--dry-run", env={"SHELL": "/usr/bin/zsh"})

    assert f"would write {tmp_path}/.local/share/zsh/site-functions/_segctl" in done.err
    assert not (tmp_path / ".local").exists()


def test_install_leaves_a_file_of_somebody_else_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / ".config" / "fish" / "completions" / "segctl.fish"
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n")

    assert run("completion", "install", "fish").code == 4
    assert path.read_text() == "# mine\n"


# --- Real shells -----------------------------------------------------------------------------------------
LINES = [
    pytest.param("segctl sche", ["schema"], id="a verb"),
    pytest.param("segctl apply --dry", ["--dry-run"], id="an option"),
    pytest.param("segctl schema --color al", ["always"], id="a choice"),
    pytest.param("segctl ls segments -f nd", ["ndjson"], id="a format of the verb"),
    pytest.param("segctl completion show fi", ["fish"], id="a choice of a second argument"),
    pytest.param("segctl help missing", ["missing-values"], id="a topic"),
    pytest.param("segctl history wi", ["winback"], id="a segment"),
    pytest.param("segctl apply -s vi", ["vip"], id="a selection"),
    pytest.param("segctl show segment:v", ["segment:vip"], id="a thing with a colon"),
    pytest.param("segctl apply --as-of to", [], id="nothing for free text"),
    pytest.param("segctl nonsense x", [], id="nothing for an unknown verb"),
]


@pytest.fixture
def with_segctl(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH finds this segctl."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "segctl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m segctl "$@"\n')
    program.chmod(0o755)
    return environment(tmp_path, {"PATH": f"{folder}:{os.environ['PATH']}"})


def needs(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"needs {shell}")
    return path


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_bash_completes(small_project: Path, with_segctl: dict[str, str], line: str, expected: list[str]) -> None:
    asked = (
        "source /dev/stdin\nCOMP_WORDBREAKS=$' \\t\\n='\nCOMP_LINE=$1 COMP_POINT=${#1}\n_segctl\n"
        '((${#COMPREPLY[@]})) && printf "%s\\n" "${COMPREPLY[@]}"; true'
    )
    done = subprocess.run(
        [needs("bash"), "-c", asked, "bash", line], input=scripts.bash(), env=with_segctl, cwd=small_project,
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stderr == ""
    assert done.stdout.split() == expected


def test_bash_completes_only_what_follows_a_colon_that_breaks_words(
    small_project: Path, with_segctl: dict[str, str]
) -> None:
    asked = 'source /dev/stdin; COMP_WORDBREAKS=:; COMP_LINE=$1 COMP_POINT=${#1}; _segctl; echo "${COMPREPLY[@]}"'
    done = subprocess.run(
        [needs("bash"), "-c", asked, "bash", "segctl show segment:v"], input=scripts.bash(), env=with_segctl,
        cwd=small_project, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "vip\n"


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_fish_completes(
    small_project: Path, with_segctl: dict[str, str], line: str, expected: list[str], tmp_path: Path
) -> None:
    script = tmp_path / "segctl.fish"
    script.write_text(scripts.fish(), "utf-8")
    done = subprocess.run(
        [needs("fish"), "--no-config", "-c", f"source {script}; complete -C '{line}'"], env=with_segctl,
        cwd=small_project, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stderr == ""
    assert [found.partition("\t")[0] for found in done.stdout.splitlines()] == expected


@pytest.mark.parametrize(("line", "expected"), [p for p in LINES if p.values[1]])
def test_zsh_completes_at_a_tab_press(
    small_project: Path,
    with_segctl: dict[str, str],
    on_terminal: Callable[..., Finished],
    line: str,
    expected: list[str],
) -> None:
    folder = small_project.parent / "functions"
    folder.mkdir()
    (folder / "_segctl").write_text(scripts.zsh(), "utf-8")
    (small_project.parent / ".zshrc").write_text(
        f"fpath=({folder} $fpath)\nautoload -Uz compinit; compinit -u -D\nPS1='> '\nunsetopt BEEP LIST_BEEP\n"
    )
    drawn = on_terminal(
        program=[needs("zsh"), "-i"], env=with_segctl, cwd=small_project, columns=200,
        typed=f"{line}\t", until=f"{line.rpartition(' ')[2]}{expected[0][len(line.rpartition(' ')[2]):]}",
    )  # fmt: skip

    assert expected[0] in drawn.out.replace("\x1b[K", "")


def test_the_script_for_bash_is_sound_in_its_own_eyes() -> None:
    subprocess.run([needs("bash"), "-n"], input=scripts.bash(), text=True, check=True)


def test_the_script_for_zsh_is_sound_in_its_own_eyes() -> None:
    subprocess.run([needs("zsh"), "-n", "/dev/stdin"], input=scripts.zsh(), text=True, check=True)
