"""Ready journeys: what comes along, what is asked of a project, and which earn."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from end_to_end.program import document, ok, run

from segctl.compile.definitions import load_definitions
from segctl.compile.project import load_project
from segctl.model.errors import Refused, UsageError
from segctl.model.project import Definitions
from segctl.operations.init import create_project
from segctl.operations.session import open_session
from segctl.operations.usecase_earnings import WINDOW_DAYS
from segctl.operations.usecase_status import standings
from segctl.operations.usecases import USE_CASES, add, package

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def bare(folder: Path) -> Path:
    """The shop's project file, sources and data, and nothing else."""
    create_project(folder)
    for name in ("segments", "tests", "content", "experiments", "workflows", "traits", "lists", "destinations"):
        shutil.rmtree(folder / name)
    text = (folder / "segctl.yaml").read_text("utf-8")
    text = "\n".join(line for line in text.split("\n") if "mailings:" not in line and "stores:" not in line)
    (folder / "segctl.yaml").write_text(text.replace("\npriority:", "").replace("\nplaces:", ""), "utf-8")
    return folder


def definitions_of(folder: Path) -> Definitions:
    return load_definitions(load_project(folder)[0])[0]


@pytest.mark.parametrize("name", USE_CASES)
def test_a_package_brings_all_that_it_refers_to(tmp_path: Path, name: str) -> None:
    folder = bare(tmp_path / "p")
    before = definitions_of(folder)
    assert not before.segments

    added = add(before, name)

    assert set(added.new) == set(package(USE_CASES[name]))
    linted = json.loads(run("lint", "-f", "json", cwd=folder).stdout)
    assert [one for one in linted["diagnostics"] if one["severity"] == "error"] == []
    after = definitions_of(folder)
    assert name in after.workflows
    assert name in (after.content.templates if after.content else {})
    assert USE_CASES[name].segment in after.segments
    experiment = after.experiments[f"{name}_test"]
    assert (experiment.segment, experiment.control) == (USE_CASES[name].segment, "control")
    assert [arm.name for arm in experiment.arms if not arm.is_sent] == ["control"]
    # Dealt by the experiment instead, as its file says.
    path = folder / "workflows" / f"{name}.yaml"
    head, _, steps = re.sub(r"(?m)^control:.*\n", "", path.read_text("utf-8")).partition("steps:\n")
    ways = "    then:\n      control: [{stop: control}]\n      journey:\n"
    split = f"steps:\n  - split: {{experiment: {name}_test}}\n{ways}"
    path.write_text(head + split + textwrap.indent(steps, " " * 8), "utf-8")
    assert name in definitions_of(folder).workflows
    assert ok("workflow", "lint", name, cwd=folder)


@pytest.mark.slow
def test_all_packages_together_pass_their_tests_and_show_mails(tmp_path: Path) -> None:
    folder = bare(tmp_path / "p")
    for name in USE_CASES:
        ok("usecase", "add", name, cwd=folder)
    ok("test", cwd=folder)
    ok("ingest", "-q", cwd=folder)
    ok("apply", "-q", cwd=folder)

    for name, case in USE_CASES.items():
        shown = document("content", "preview", name, "--for", "00102", cwd=folder)
        assert shown["facts"]["subject"]
        assert "<html" in shown["html"]
        assert run("content", "lint", name, "--audience", case.segment, cwd=folder).returncode == 0
    rows = {row["use_case"]: row for row in document("usecase", "status", cwd=folder)["data"]}
    assert {row["state"] for row in rows.values()} == {"installed"}
    assert {row["verdict"] for row in rows.values()} == {"not_measured"}
    assert rows["reactivation"]["is_quick_win"] is True


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = bare(tmp_path / "p")
    mine = folder / "content" / "welcome.de.html.j2"
    mine.parent.mkdir()
    mine.write_text('---\nsubject: "meins"\n---\nx', "utf-8")
    definitions = definitions_of(folder)

    with pytest.raises(Refused, match=r"`content/welcome\.de\.html\.j2` is there already"):
        add(definitions, "welcome")
    assert [path.name for path in folder.rglob("*.j2")] == ["welcome.de.html.j2"]
    kept = add(definitions, "welcome", keep=True)

    assert kept.kept == ("content/welcome.de.html.j2",)
    assert mine.read_text("utf-8").endswith("x")
    assert (folder / "workflows" / "welcome.yaml").is_file()
    again = add(definitions_of(folder), "welcome", keep=True)
    assert again.new == ()


def test_a_segment_that_the_project_renamed_is_not_brought_again(tmp_path: Path) -> None:
    folder = bare(tmp_path / "p")
    add(definitions_of(folder), "cart_recovery")
    there = folder / "segments" / "cart_abandoners.yaml"
    text = there.read_text("utf-8").replace("segment: cart_abandoners", "segment: carts\nformerly: [cart_abandoners]")
    (folder / "segments" / "carts.yaml").write_text(text, "utf-8")
    there.unlink()
    (folder / "workflows" / "cart_recovery.yaml").unlink()
    (folder / "tests" / "cart_abandoners.yaml").rename(folder / "tests" / "carts.yaml")

    added = add(definitions_of(folder), "cart_recovery", keep=True)

    assert added.new == ("workflows/cart_recovery.yaml",)
    assert not re.search(r"\bcart_abandoners\b", (folder / "workflows/cart_recovery.yaml").read_text("utf-8"))


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    folder = bare(tmp_path / "p")
    before = sorted(path for path in folder.rglob("*") if path.is_file())

    found = document("usecase", "add", "cart_recovery", "--dry-run", cwd=folder)

    assert {row["state"] for row in found["data"]} == {"new"}
    assert [path for path in sorted(folder.rglob("*")) if path.is_file() and ".segctl" not in path.parts] == before


def test_names_of_the_project_are_put_in(tmp_path: Path) -> None:
    folder = bare(tmp_path / "p")
    for path in [folder / "segctl.yaml", *(folder / "sources").glob("*.yaml")]:
        path.write_text(path.read_text("utf-8").replace("product_added", "cart_add"), "utf-8")
    definitions = definitions_of(folder)

    with pytest.raises(UsageError, match="event `product_added`") as caught:
        add(definitions, "cart_recovery")
    assert "--use product_added=" in (caught.value.hint or "")
    add(definitions, "cart_recovery", use={"product_added": "cart_add"})

    assert "product_added" not in (folder / "segments" / "cart_abandoners.yaml").read_text("utf-8")
    linted = json.loads(run("lint", "-f", "json", cwd=folder).stdout)
    assert [one for one in linted["diagnostics"] if one["severity"] == "error"] == []


def test_what_is_asked_for_wrongly_is_told(tmp_path: Path) -> None:
    definitions = definitions_of(bare(tmp_path / "p"))

    with pytest.raises(UsageError, match="no use case `welcom`") as caught:
        add(definitions, "welcom")
    assert caught.value.hint == "did you mean `welcome`?"
    with pytest.raises(UsageError, match="needs nothing called `order_complete`"):
        add(definitions, "welcome", use={"order_complete": "x"})


def test_a_journey_earns_when_its_control_group_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 60 treated people all buy for 50 within the window, of 40 held back nobody."""
    folder = tmp_path / "p"
    people = "".join(f"{n},DE,p{n}@shop.example\n" for n in range(100))
    entered = NOW - timedelta(days=WINDOW_DAYS + 1)
    bought = (entered + timedelta(days=2)).isoformat()
    orders = "".join(f"o{n},{n},{bought},{50 + n % 3}\n" for n in range(60))
    files = {
        "segctl.yaml": "segctl: 1\nname: p\nidentifiers: {nr: {class: known}}\ntraits: {country: text, email: text}\n"
        "events: {order_completed: {properties: {value: {type: money, unit: EUR}}}}\n"
        "purposes: {newsletter: {basis: consent, channels: [email]}}\n"
        "reports: {conversion: {event: order_completed}, revenue: {event: order_completed, sum: {of: value}}}\n",
        "sources/people.yaml": "source: people\npath: people.csv\nkey: {nr: nr}\n"
        "profiles: {country: land, email: mail}\n",
        "sources/orders.yaml": "source: orders\npath: orders.csv\nkey: {nr: nr}\nevents:\n"
        "  - {event: order_completed, time: at, id: id, properties: {value: value}}\n",
        "people.csv": "nr,land,mail\n" + people,
        "orders.csv": "id,nr,at,value\n" + orders,
        "segments/new_customers.yaml": "segment: new_customers\nwhere: {event: order_completed}\n",
        "workflows/welcome.yaml": "workflow: welcome\npurpose: newsletter\ntrigger: {entered: new_customers}\n"
        "control: 10 %\nsteps:\n  - wait: 1 days\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    ok("ingest", "-q", cwd=folder)
    ok("apply", "-q", cwd=folder)
    with open_session(folder) as session:
        assert next(o for o in standings(session, now=NOW, language="en") if o.use_case == "welcome").verdict == (
            "not_measured"
        )
        from segctl.operations.people import find_person

        with session.workspace.transaction() as connection:
            for n in range(100):
                subject = find_person(session.workspace, str(n))[0].subject
                connection.execute(
                    "INSERT INTO workflow_instances (workflow, version, subject, profile, entry, entered, arm, state,"
                    " step, reached) VALUES ('welcome', 'v', ?, ?, 'e', ?, ?, 'done', '', 0)",
                    (subject, str(n), int(entered.timestamp() * 1e6), "in" if n < 60 else "control"),
                )
        found = {one.use_case: one for one in standings(session, now=NOW, language="en")}
        early = {one.use_case: one for one in standings(session, now=NOW - timedelta(days=2), language="en")}

    # Two of those who bought are one person after all, who counts once and with the earlier entry.
    owners = pl.Series([0, 0, *range(2, 100)], dtype=pl.Int32)
    monkeypatch.setattr("segctl.state.identity.canonical", lambda *_: owners)
    with open_session(folder) as session:
        merged = next(o for o in standings(session, now=NOW, language="en") if o.use_case == "welcome")
    assert (merged.treated, merged.held) == (59, 40)

    one = found["welcome"]
    assert (one.verdict, one.treated, one.held, one.currency) == ("earns", 60, 40, "EUR")
    # 60 people spent 50, 51 or 52 each, twenty of each.
    assert one.extra[1] == pytest.approx(60 * 51)
    assert one.extra[0] is not None
    assert 0 < one.extra[0] < one.extra[1]
    assert (early["welcome"].verdict, early["welcome"].treated) == ("too_early", 0)


@pytest.mark.parametrize(("template", "name"), [("minimal", "cart_recovery"), ("b2b", "high_value_care")])
def test_a_project_that_lacks_everything_gets_the_declarations_and_binds(
    tmp_path: Path, template: str, name: str
) -> None:
    folder = tmp_path / "p"
    create_project(folder, template=template)
    before = (folder / "segctl.yaml").read_text("utf-8")
    definitions = definitions_of(folder)

    with pytest.raises(UsageError, match="event `order_item`") as caught:
        add(definitions, name)
    planned = add(definitions, name, declare=True, dry_run=True)
    assert (folder / "segctl.yaml").read_text("utf-8") == before
    done = add(definitions, name, declare=True)

    assert "`--declare` adds" in (caught.value.hint or "")
    assert planned == done
    assert {"event order_item", "purpose newsletter", "report conversion", "report revenue"} <= set(done.declared)
    settings = definitions_of(folder).project.reports
    assert settings is not None
    assert settings.purchase is not None
    assert settings.purchase.events == ("order_completed",)
    linted = json.loads(run("lint", "-f", "json", cwd=folder).stdout)
    assert [one for one in linted["diagnostics"] if one["severity"] == "error"] == []
    kept = [line for line in before.splitlines() if not line.startswith("contact_points")]
    assert [line for line in kept if line not in (folder / "segctl.yaml").read_text("utf-8")] == []
    points = dict(definitions_of(folder).project.contact_points)
    assert points == {"email": ("email",)} | ({"phone": ("phone",)} if template == "b2b" else {})
