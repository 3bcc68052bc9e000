"""Sister segments: what is written out of one file, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import PROJECT

from segctl.compile.definitions import bind_segment_text, load_definitions
from segctl.compile.project import load_project
from segctl.model.conditions import Count, EventCondition, PropertyTest, SegmentDefinition, TraitCondition, ValueTest
from segctl.model.diagnostics import Diagnostic

WHERE = 'where: {event: product_added, where: {category: "{category}"}}\n'
NAME = "segment: buyers_of_{category}\n"


def read(folder: Path, text: str, **files: str) -> tuple[dict[str, SegmentDefinition], list[Diagnostic]]:
    (folder / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    for place in ("segments", "lists"):
        (folder / place).mkdir(exist_ok=True)
    (folder / "segments" / "buyers.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / "lists" / f"{name}.csv").write_text(content, encoding="utf-8")
    definitions, problems = load_definitions(load_project(folder)[0])
    return definitions.segments, problems


def category(segment: SegmentDefinition) -> object:
    """The category that an order is tested for."""
    assert isinstance(segment.where, EventCondition)
    test = segment.where.selection.where[0].test
    assert isinstance(test, ValueTest)
    return test.operands


@pytest.mark.parametrize(
    ("for_each", "values"),
    [
        ("{category: [Sneaker, Größe XL]}", {"sneaker": "Sneaker", "groesse_xl": "Größe XL"}),
        ("{category: {list: lists/one.csv}}", {"sneaker": "Sneaker", "a_b": "A, B"}),
        ("{category: {list: lists/two.csv, column: Name}}", {"sneaker": "Sneaker", "stiefel": "Stiefel"}),
        ("{list: lists/named.csv}", {"sneaker": "Sneaker", "12": "12"}),
        ("[{category: Sneaker}, {category: Boots}]", {"sneaker": "Sneaker", "boots": "Boots"}),
    ],
)
def test_each_item_makes_a_segment(tmp_path: Path, for_each: str, values: dict[str, str]) -> None:
    found, problems = read(
        tmp_path,
        f"{NAME}title: Käufer von {{category}}!\nfor_each: {for_each}\n{WHERE}",
        one='Sneaker\n"A, B"\n\n',
        two="Nr;Name\n1;Sneaker\n2;Stiefel\n",
        named="Category,limit\nSneaker,3\n12,4\n",
    )

    assert problems == []
    assert {name: category(segment) for name, segment in found.items()} == {
        f"buyers_of_{name}": (value,) for name, value in values.items()
    }
    assert [s.title for s in found.values()] == [f"Käufer von {values[n[10:]]}!" for n in found]
    assert len({segment.digest for segment in found.values()}) == len(values)
    assert all(s.location is not None and s.location.file == "segments/buyers.yaml" for s in found.values())


def test_a_sister_is_the_segment_that_a_file_of_its_own_would_be(tmp_path: Path) -> None:
    sisters, _ = read(tmp_path, f"{NAME}for_each: {{category: [Sneaker]}}\n{WHERE}")
    alone, _ = read(tmp_path, NAME.replace("{category}", "sneaker") + WHERE.replace("{category}", "Sneaker"))

    assert sisters == alone


def test_values_keep_their_types(tmp_path: Path) -> None:
    found, problems = read(
        tmp_path,
        'segment: "{name}_buyers"\nfor_each:\n'
        '  - {name: a, least: 3, some: [x, "12"], text: "12", days: 30 days}\n'
        "where:\n  all:\n"
        '    - {event: product_added, within_last: "{days}", where: {category: "{some}"},'
        ' count: {at_least: "{least}"}}\n'
        '    - {trait: city, equals: "{text}{{x}}"}\n',
    )

    assert problems == []
    orders, city = found["a_buyers"].where.items  # type: ignore[union-attr]  # it is an `all`
    assert isinstance(orders, EventCondition)
    assert orders.selection.where == (PropertyTest("category", ValueTest("in", ("x", "12"))),)
    assert (orders.measure, orders.test) == (Count(), ValueTest("at_least", (3,)))
    assert isinstance(city, TraitCondition)
    assert city.test == ValueTest("equals", ("12{x}",))


@pytest.mark.parametrize(
    ("text", "code", "line", "hint"),
    [
        (
            f"segment: buyers\nfor_each: {{category: [a, b]}}\n{WHERE}",
            "SEG265",
            1,
            "write `segment: buyers_{category}`",
        ),
        (f"{NAME}for_each: {{category: []}}\n{WHERE}", "SEG212", 2, None),
        (f"{NAME}for_each: {{category: [a], size: [b]}}\n{WHERE}", "SEG265", 2, "a list of mappings"),
        (f"{NAME}for_each: Sneaker\n{WHERE}", "SEG212", 2, "for_each: {category:"),
        (f"{NAME}for_each: [Sneaker]\n{WHERE}", "SEG212", 2, "category: Sneaker"),
        (f"{NAME}for_each: [{{category: a}}, {{catgory: b}}]\n{WHERE}", "SEG265", 2, "the same fields"),
        (f"{NAME}for_each: {{categorie: [a]}}\n{WHERE}", "SEG266", 1, "`categorie`"),
        (f"{NAME}for_each: {{category: [a]}}\nwhere: {{trait: city, equals: '{{x}}'}}", "SEG266", 3, "`category`"),
        (
            f"{NAME}for_each: {{category: [a]}}\nwhere: {{trait: city, equals: {{category}}}}",
            "SEG266",
            3,
            '"{category}"',
        ),
        (f"{NAME}for_each: {{category: [[a, b]]}}\n{WHERE}", "SEG266", 2, None),
        (f"{NAME}for_each: {{category: [a, A]}}\n{WHERE}", "SEG219", 2, None),
        (f"{NAME}for_each:\n  category:\n  - ok\n  - '{'x' * 60}'\n{WHERE}", "SEG267", 5, "a field of their own"),
        (f"{NAME}for_each: {{category: {{list: lists/x.csv}}}}\n{WHERE}", "SEG268", 2, None),
        (f"{NAME}for_each: {{category: {{list: ../x.csv}}}}\n{WHERE}", "SEG268", 2, "copy it"),
        (f"{NAME}for_each: {{category: {{list: lists/two.csv, column: Nam}}}}\n{WHERE}", "SEG268", 2, "`Name`"),
        (f"{NAME}for_each: {{category: {{list: lists/two.csv, row: 1}}}}\n{WHERE}", "SEG210", 2, None),
        (f"{NAME}for_each: {{category: [{', '.join(map(str, range(1001)))}]}}\n{WHERE}", "SEG265", 2, None),
        (f"{NAME}foreach: {{category: [a]}}\n{WHERE}", "SEG210", 2, "`for_each`"),
        (f"{NAME}for_each: {{category: [a, b]}}\nwhere: {{trait: contry, equals: DE}}", "SEG204", 3, "`country`"),
        (
            f"{NAME}for_each: {{category: [1, drei]}}\nwhere: {{trait: points, above: '{{category}}'}}",
            "SEG230",
            2,
            None,
        ),
    ],
)
def test_a_mistake_is_told_once_where_it_stands(
    tmp_path: Path, text: str, code: str, line: int, hint: str | None
) -> None:
    _, problems = read(tmp_path, text, two="Nr;Name\n1;Sneaker\n")

    first = next(p for p in problems if p.code == code)
    assert {p.code for p in problems if p.severity == "error"} - {"SEG217"} == {code}, problems
    assert first.location is not None
    assert (first.location.file, first.location.line) == ("segments/buyers.yaml", line)
    assert hint is None or hint in (first.hint or ""), first.hint
    assert len(problems) == 1 or "categorie" in text or "foreach" in text


def test_one_segment_cannot_be_counted_of_a_file_of_several(tmp_path: Path) -> None:
    read(tmp_path, f"{NAME}for_each: {{category: [a]}}\n{WHERE}")
    definitions, _ = load_definitions(load_project(tmp_path)[0])

    bound, problems = bind_segment_text(f"{NAME}for_each: {{category: [a]}}\n{WHERE}", "x.yaml", definitions)

    assert bound is None
    assert [p.code for p in problems] == ["SEG269"]
