"""Codes about `for_each`; examples are segment files."""

from __future__ import annotations

from segctl.model.catalogue import Entry

_WHERE = 'where: {event: product_added, where: {category: "{category}"}}'

ENTRIES: dict[str, Entry] = {
    "SEG265": Entry(
        "The `for_each` is wrong",
        "`for_each` makes one segment for each item: values of one name, mappings with the same fields, or the lines "
        "of a file. Every sister needs a name of its own, so that of the segment has a placeholder.",
        "Write `for_each: {category: [Sneaker, Stiefel]}` and `segment: buyers_of_{category}`.",
        f"segment: tested\nfor_each: {{category: [Sneaker, Stiefel]}}\n{_WHERE}",
        f"segment: buyers_of_{{category}}\nfor_each: {{category: [Sneaker, Stiefel]}}\n{_WHERE}",
    ),
    "SEG266": Entry(
        "The placeholder is wrong",
        'A placeholder is a field of the items of `for_each` and stands in a value, in quotes: `"{category}"`. One '
        "that is the whole value may be a number or a list; inside a longer text it is a single value.",
        "Write the field's name in quotes; `{{` and `}}` stand for braces.",
        "segment: tested_{category}\nfor_each: {category: [Sneaker]}\n"
        'where: {event: product_added, where: {category: "{kategory}"}}',
        f"segment: tested_{{category}}\nfor_each: {{category: [Sneaker]}}\n{_WHERE}",
    ),
    "SEG267": Entry(
        "The item makes no name",
        "In the name of a sister segment the item's text is spelled with small letters, digits and `_`: `Größe XL` "
        "becomes `groesse_xl`. What is left must be a name of 63 characters at most.",
        "Give the items a field of their own for the name.",
        f'segment: "{{category}}"\nfor_each: {{category: ["99 %"]}}\n{_WHERE}',
        'segment: "{name}"\nfor_each: [{name: nearly_all, category: "99 %"}]\n' + _WHERE,
    ),
    "SEG268": Entry(
        "The list of `for_each` cannot be read",
        "The file must lie in the project and be CSV in UTF-8: one value a line, or a first line that names the "
        "columns.",
        "Mend the file, its path, or the name of the column.",
        f"segment: tested_{{category}}\nfor_each: {{category: {{list: lists/nothing.csv}}}}\n{_WHERE}",
    ),
    "SEG269": Entry(
        "The file makes several segments",
        "With `for_each` a file stands for several segments, and here one is asked for.",
        "Name one of them; `segctl ls segments` lists them.",
    ),
}
