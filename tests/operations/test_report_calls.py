"""`segctl report` on workspaces with planted results: text, data, pages, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ab_world import EXPOSED, LATER, experiment, orders, world

from segctl.cli import report_ab, report_all, report_control
from segctl.cli.context import Context
from segctl.cli.report_ab_story import document as ab_document
from segctl.cli.report_asked import Asked
from segctl.cli.report_markdown import markdown
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode
from segctl.operations.ab.ab import report_ab as report
from segctl.operations.session import Session
from segctl.state.experiments import looks

ARMS = {"control": 2_000, "mail": 2_000}
Call = Callable[..., tuple[ExitCode, str]]


def quiet(session: Session) -> Session:
    """Without destinations, which people without a contact point cannot be told at."""
    return replace(session, definitions=replace(session.definitions, destinations={}))


@pytest.fixture(scope="module")
def effect(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Twice as many buyers with the mail."""
    return quiet(world(tmp_path_factory.mktemp("effect"), ARMS, orders(ARMS, {"control": 200, "mail": 400})))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A third of the control is missing."""
    arms = {"control": 1_300, "mail": 2_000}
    declared = experiment(ARMS)
    return world(
        tmp_path_factory.mktemp("broken"), arms, orders(arms, {"control": 200, "mail": 200}), declared=declared
    )


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Run a report and read what it wrote."""

    def run(session: Session, about: str, *names: str, module: Any = report_ab, **options: Any) -> tuple[ExitCode, str]:
        out = tmp_path / "out"
        own = {key: options.pop(key) for key in ("format", "now") if key in options}
        ctx = Context("report", own.get("now", LATER), format=own.get("format", "table"), output=out)
        asked = Asked(about, names, language=options.pop("language", "en"), **options)
        code: ExitCode = module.run(ctx, session, asked)
        return code, out.read_text("utf-8") if out.exists() else ""

    return run


def test_the_answer_comes_first(call: Call, effect: Session) -> None:
    code, found = call(effect, "ab", "mail_test")

    lines = found.splitlines()
    assert code is ExitCode.OK
    assert lines[0] == "Experiment mail_test"
    assert lines[3] == "bought: more with mail than with control, 200 instead of 100 per 1,000 people."


def test_json_and_csv_hold_the_same_numbers(call: Call, effect: Session) -> None:
    _, text = call(effect, "ab", "mail_test", format="json")
    document = json.loads(text)
    _, text = call(effect, "ab", "mail_test", format="csv")
    (row,) = [one for one in csv.DictReader(io.StringIO(text)) if (one["metric"], one["arm"]) == ("bought", "mail")]

    assert document["schema"] == "segctl/report-ab/1"
    assert document["report"]["headline"]["state"] == "more"
    difference = document["report"]["metrics"][0]["effects"][0]["compared"]["difference"]
    assert float(row["difference"]) == difference["estimate"] == pytest.approx(0.1)
    assert float(row["difference_low"]) == difference["low"]
    assert (row["n"], row["events"], row["test"]) == ("2000", "400", "pooled_z")


def test_what_cannot_be_used_has_no_numbers_in_any_form_and_leaves_with_1(call: Call, broken: Session) -> None:
    code, text = call(broken, "ab", "mail_test")
    json_code, document = call(broken, "ab", "mail_test", format="json")
    anyway_code, shown = call(broken, "ab", "mail_test", anyway=True)

    assert code is json_code is ExitCode.FINDINGS
    assert text.splitlines()[3].startswith("Not usable: the arms are not as large as they were dealt")
    assert "Figures" not in text
    assert json.loads(document)["data"] == []
    assert json.loads(document)["report"]["metrics"] == []
    assert json.loads(document)["exit"]["reason"] == "not_usable"
    assert anyway_code is ExitCode.OK
    assert "Figures" in shown


def test_a_file_without_a_row_says_why(call: Call, broken: Session, capfd: pytest.CaptureFixture[str]) -> None:
    _, text = call(broken, "ab", "mail_test", format="csv")

    assert len(text.splitlines()) == 1
    assert "Not usable: " in capfd.readouterr().err


def test_without_a_name_everything_is_listed(call: Call, effect: Session) -> None:
    _, text = call(effect, "ab")
    _, ids = call(effect, "ab", format="ids")

    assert "mail_test" in text
    assert ids == "mail_test\n"


def test_numbers_are_explained(call: Call, effect: Session) -> None:
    _, text = call(effect, "ab", "mail_test", "bought.mail.lift", explain=True)
    _, data = call(effect, "ab", "mail_test", explain=True, format="json")

    assert "Koopman 1984" in text
    assert "xt 400" in text
    assert {one["number"] for one in json.loads(data)["data"]} >= {"bought.mail.p", "revenue.mail.difference"}


@pytest.mark.parametrize(
    ("module", "asked", "code"),
    [
        (report_ab, Asked("ab", ("mail_test", "other")), "SEG988"),
        (report_ab, Asked("ab", ("mail_test",), last=3), "SEG985"),
        (report_ab, Asked("ab", ("mial_test",)), "SEG966"),
        (report_control, Asked("control", by=("country",)), "SEG985"),
        (report_control, Asked("control", ("a", "b")), "SEG988"),
        (report_all, Asked("all"), "SEG987"),
        (report_all, Asked("all", ("mail_test",), html="x"), "SEG988"),
    ],
)
def test_what_makes_no_sense_is_refused(module: Any, asked: Asked, code: str, effect: Session) -> None:
    with pytest.raises(UsageError) as refused:
        module.run(Context("report", LATER), effect, asked)

    assert refused.value.code == code


@pytest.mark.parametrize("module", [report_ab, report_control])
def test_small_counts_are_hidden_from_machines_too(module: Any, call: Call, effect: Session) -> None:
    names = ("control" if module is report_control else "ab", "mail_test")
    _, open_ = call(effect, *names, module=module, format="json")
    _, data = call(effect, *names, module=module, format="json", least=2500)
    _, numbers = call(effect, *names, module=module, least=2500, explain=True)

    assert "2000" in open_
    assert json.loads(data)["suppressed_below"] == 2500
    assert not {"2000", "2,000"} & set(re.findall(r"[\d,.]+\b", data.partition('"report"')[2] + numbers))


def test_control_groups_add_up(call: Call, effect: Session) -> None:
    _, text = call(effect, "control", module=report_control)
    _, data = call(effect, "control", "mail_test", module=report_control, format="json")

    assert text.startswith("Control groups\n")
    (row,) = json.loads(data)["data"]
    assert (row["campaign"], row["treated"], row["held"], row["state"]) == ("mail_test", 2000, 2000, "more")


def test_pages_and_markdown_are_written_beside(call: Call, effect: Session, tmp_path: Path) -> None:
    page, markdown = tmp_path / "a.html", tmp_path / "a.md"

    call(effect, "ab", "mail_test", html=str(page), markdown=str(markdown), language="de")

    assert "mit mail mehr als mit Kontrolle" in page.read_text("utf-8")
    assert markdown.read_text("utf-8").startswith("# Experiment mail\\_test\n")


# --- All reports ------------------------------------------------------------------------------------------
def test_all_reports_are_pages_that_belong_together(effect: Session, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    report_all.run(Context("report", LATER), effect, Asked("all", html=str(folder), language="en"))

    index = (folder / "index.html").read_text("utf-8")
    written = {path.name for path in folder.iterdir()}
    assert {"index.html", "experiment-mail_test.html", "control.html", "segctl-reports.json"} <= written
    assert '<a href="experiment-mail_test.html">' in index
    assert "bought: more with mail than with control" in index


def test_a_report_that_cannot_be_made_keeps_no_other_away(
    effect: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UsageError("SEG969", "no control group is quiet")

    monkeypatch.setattr("segctl.operations.control.report_control", refuse)
    folder = tmp_path / "site"
    report_all.run(Context("report", LATER), effect, Asked("all", html=str(folder), language="en"))

    assert "no control group is quiet" in (folder / "index.html").read_text("utf-8")
    assert not (folder / "control.html").exists()
    assert (folder / "experiment-mail_test.html").exists()


def test_an_old_site_is_replaced_and_foreign_files_stay(effect: Session, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    ctx, asked = Context("report", LATER), Asked("all", html=str(folder), language="en")
    report_all.run(ctx, effect, asked)
    (folder / "mine.html").write_text("mine", "utf-8")
    gone = replace(effect, definitions=replace(effect.definitions, experiments={}))

    report_all.run(ctx, gone, asked)

    assert not (folder / "experiment-mail_test.html").exists()
    assert (folder / "mine.html").read_text("utf-8") == "mine"


def test_a_folder_of_others_is_refused(effect: Session, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")

    with pytest.raises(UsageError) as refused:
        report_all.run(Context("report", LATER), effect, Asked("all", html=str(tmp_path)))

    assert refused.value.code == "SEG135"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_site_shows_no_figures_before_the_end_and_is_no_look(tmp_path: Path) -> None:
    declared = experiment(ARMS, size=None, end=EXPOSED + timedelta(days=90))
    session = quiet(world(tmp_path / "early", ARMS, orders(ARMS, {"control": 200, "mail": 400}), declared=declared))
    folder = tmp_path / "site"

    report_all.run(Context("report", LATER), session, Asked("all", html=str(folder), language="en"))

    page = (folder / "experiment-mail_test.html").read_text("utf-8")
    assert "bought: too early to tell." in page
    assert "Figures" not in page
    assert "2,000 instead" not in page
    assert looks(session.workspace, "mail_test") == ()


@pytest.mark.parametrize("about", ["ab", "control", "all"])
def test_nothing_is_told_of_a_time_that_has_not_come(about: str, tmp_path: Path) -> None:
    few = {"control": 30, "mail": 30}
    effect = quiet(world(tmp_path / "shop", few, orders(few, few)))
    module = {"ab": report_ab, "control": report_control, "all": report_all}[about]
    asked = Asked(about, ("mail_test",) if about == "ab" else (), html=str(tmp_path / "pages"))
    now = EXPOSED + timedelta(days=3)

    with pytest.raises(UsageError) as refused:
        module.run(Context("report", now, as_of=str((now + timedelta(days=30)).date())), effect, asked)

    assert refused.value.code == "SEG989"
    assert looks(effect.workspace, "mail_test") == ()
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize("about", ["ab", "control"])
def test_a_look_at_simulated_events_is_one_of_today(about: str, tmp_path: Path) -> None:
    few = {"control": 30, "mail": 30}
    effect = quiet(world(tmp_path / "shop", few, orders(few, few)))
    module = {"ab": report_ab, "control": report_control}[about]
    ctx = Context("report", EXPOSED + timedelta(hours=3), as_of=str(LATER.date()), output=tmp_path / "out")

    module.run(ctx, effect, Asked(about, ("mail_test",)))

    assert [look.at for look in looks(effect.workspace, "mail_test")] == [ctx.now]


def test_numbers_of_control_groups_are_explained(call: Call, effect: Session) -> None:
    code, found = call(
        effect, "control", "mail_test", "campaign.mail_test.revenue", module=report_control, explain=True
    )
    _, data = call(effect, "control", module=report_control, explain=True, format="json")

    assert code is ExitCode.OK
    assert "units of the arm × difference per unit" in found
    assert "campaign.mail_test.p" in [row["number"] for row in json.loads(data)["data"]]


def test_all_reports_go_by_the_time_asked_for(effect: Session, tmp_path: Path) -> None:
    early = str((EXPOSED + timedelta(days=3)).date())
    asked = Asked("all", html=str(tmp_path / "pages"), language="en")

    report_all.run(Context("report", LATER, as_of=early), effect, asked)

    first = (tmp_path / "pages/index.html").read_text("utf-8")
    assert "more with mail" not in first
    assert "All campaigns together earned" not in first


def test_a_real_report_is_the_same_however_few_are_in_a_hidden_arm(tmp_path: Path) -> None:
    """An arm of 9 or of 12 people, of whom one or two bought; nothing that sums up arms may tell which."""
    found = set()
    for few, buyers in ((9, 1), (12, 2)):
        arms = {"control": 300, "mail": 300, "coupon": few}
        lots = orders(arms, {"control": 60, "mail": 100, "coupon": buyers})
        declared = experiment({**arms, "coupon": 10}, size=600)
        made = quiet(world(tmp_path / str(few), arms, lots, declared=declared))
        text = markdown(ab_document(report_ab.local(made, report(made, "mail_test", now=LATER)), "en", least=15))
        found.add(re.sub(r"data [0-9a-f]{12}", "", text))

    (text,) = found
    assert "| &lt;15 | hidden | hidden |" in text
    assert "33 with mail and 20 with control" in text
