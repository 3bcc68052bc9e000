"""Codes about contracts and checks (SEG416, SEG430 to SEG445)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG416": Entry(
        "an unknown rule of a contract",
        "`warn` names columns with the keywords of JSON Schema whose breach is told only, or `all`.",
        "Check the spelling; `segctl validate` shows the keyword of each broken rule.",
    ),
    "SEG430": Entry(
        "Options of a contract without a contract",
        "`contract_options` say how a contract is read, and the source declares none.",
        "Add `contract:`, or delete the options.",
        "contract_options: {formats: false}",
    ),
    "SEG431": Entry(
        "A contract cannot be used",
        "It is no valid JSON Schema 2020-12, refers to something that is not in it, or its file cannot be read.",
        "Correct the place that the message names; put schemas that are referred to under `$defs`.",
        'contract: {properties: {age: {type: "int"}}}',
    ),
    "SEG432": Entry(
        "A check has the wrong form",
        "The check is unknown, or lacks what it needs.",
        "Follow the hint; `segctl help contracts` shows every check.",
        "checks: [{uniqe: [order_no]}]",
    ),
    "SEG433": Entry(
        "A key of a contract means nothing",
        "JSON Schema ignores keywords that it does not know, so a misspelt one checks nothing.",
        "Correct the word, or delete it.",
        "contract: {properties: {zip: {minLenght: 5}}}",
    ),
    "SEG434": Entry(
        "A check refers to a source that is not declared",
        "`refers` compares a column with the keys of another source of the project.",
        "Declare that source, or correct its name.",
        "checks: [{refers: {column: customer_id, to: custmers.id}}]",
    ),
    "SEG435": Entry(
        "A check of the whole is broken",
        "All rows together do not keep what the source promises, so nothing of it was taken.",
        "Mend the data, or give the check `severity: warn` when it is only worth a notice.",
        "checks: [{unique: [order_no]}]",
    ),
    "SEG436": Entry(
        "Rows break their contract",
        "A value has another type, lies outside its bounds, or a property is missing; the message names the rule.",
        "Mend the rows or the contract; rows in quarantine can be looked at with `segctl quarantine show SOURCE`.",
        "segctl validate orders",
    ),
    "SEG437": Entry(
        "A source has more bad rows than it may",
        "Above `max_bad_rows` nothing of a source is taken, since a broken export looks like that.",
        "Mend the file or the contract, or raise the limit.",
        "segctl validate orders --max-bad-rows 5%",
    ),
    "SEG438": Entry(
        "There is nothing to validate a file against",
        "The file belongs to no declared source, and `--contract` names none.",
        "Name a contract with `--contract FILE`, or declare the file as a source.",
        "segctl validate data/new.csv",
    ),
    "SEG439": Entry(
        "Neither a source nor a file",
        "`validate` takes names of declared sources, and paths of files.",
        "Correct the name; `segctl ls sources` lists the sources.",
        "segctl validate ordres",
    ),
    "SEG440": Entry(
        "The file for bad rows cannot be written",
        "The folder of `--bad-rows` is not there, may not be written, or its disk is full.",
        "Name another file.",
        "segctl validate orders --bad-rows /nowhere/bad.ndjson",
    ),
}
