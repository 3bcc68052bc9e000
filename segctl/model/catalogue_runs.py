"""Codes about selection, new projects, runs, people and evaluation (SEG4xx, SEG5xx)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG401": Entry(
        "unknown property in a selection",
        "A selection names segments by `tag: owner: path: destination: kind: status: state:` or `result:`.",
        "Use one of these words, or a name or glob without a colon.",
        'segctl apply --select "colour:red"',
    ),
    "SEG402": Entry(
        "a selection that fits nothing",
        "No segment has that name, or fits that glob or property: almost always a typing mistake.",
        "Look at the names with `segctl ls segments`; the message names the nearest.",
        'segctl apply --select "winbak"',
    ),
    "SEG410": Entry(
        "unknown template",
        "`init` knows the templates shop, b2b and minimal.",
        "Choose one of them.",
        "segctl init crm --template saas",
    ),
    "SEG411": Entry(
        "unknown pack",
        "`init` knows the packs midmarket, enterprise and public.",
        "Choose one of them.",
        "segctl init crm --pack huge",
    ),
    "SEG412": Entry(
        "a new project would overwrite files",
        "The folder holds files with the names of the template's. Nothing is ever overwritten.",
        "Choose another folder, or move the files away.",
        "segctl init . && segctl init .",
    ),
    "SEG413": Entry(
        "the folder cannot be written",
        "The file system refused: no permission, a file where a folder should be, or a full disk.",
        "Choose another folder, or mend what the message names.",
    ),
    "SEG414": Entry(
        "personal data was asked for",
        "The trait, or one it is computed from, is `personal: true` or `sensitive: true`: shown only on request.",
        "Add `--show-personal` if you may see them, or leave the column out.",
        "segctl show segment:vip --columns email",
    ),
    "SEG501": Entry(
        "not a time",
        "`--as-of` takes a date, a date with a time, or words such as `2 hours ago` and `yesterday`.",
        "Write `2026-11-18` for the end of that day, or `2026-11-18 14:30`.",
        "segctl apply --as-of tomorow",
    ),
    "SEG502": Entry(
        "the project has errors",
        "Some definition or the project file does not bind, so nothing can be evaluated safely.",
        "Mend every finding; `segctl lint` shows them all with their places.",
    ),
    "SEG503": Entry(
        "no two runs to compare",
        "`diff` compares two runs in force, by default the last two, and there are fewer.",
        "Run `segctl apply` (again), or name runs with `--from` and `--to`; `segctl ls runs` lists them.",
        "segctl diff",
    ),
    "SEG504": Entry(
        "nobody is known by that identifier",
        "No profile id, identifier value or `type:value` of the workspace is this text.",
        "Check it letter by letter: leading zeros count. `segctl show segment:NAME -f ids` lists ids.",
        "segctl profile 999999999",
    ),
    "SEG505": Entry(
        "an identifier that several people share",
        "The same value stands under more than one identifier type and they belong to different people.",
        "Say which type is meant: `customer_id:4711`.",
    ),
    "SEG506": Entry(
        "a selection where there is nothing to select",
        "`--select` and `--exclude` choose segments; other things are listed whole.",
        "Leave them out, or list segments.",
        "segctl ls traits --select vip",
    ),
    "SEG507": Entry(
        "the definition cannot be decided",
        "A leaf says `missing: error`, or a segment it refers to does, and a value is missing.",
        "Fill the value, or say `missing: match` or `missing: no_match`.",
    ),
    "SEG508": Entry(
        "neither a segment nor a file",
        "The name is no segment of the project, and no file with a definition.",
        "Check the spelling with `segctl ls segments`, or give the path of a `.yaml` file.",
        "segctl size winbak",
    ),
    "SEG509": Entry(
        "the file's definition has errors",
        "The findings shown above say what is wrong and where.",
        "Mend them; the definition was not counted.",
    ),
    "SEG510": Entry(
        "no such thing",
        "The project has no segment, trait, event or source of that name.",
        "The message names the nearest; `segctl ls` lists what there is.",
        "segctl show event:order_complete",
    ),
    "SEG511": Entry(
        "unknown kind of thing",
        "`show` knows segment, trait, event, source and run.",
        "Write `KIND:NAME`, for instance `segment:vip`.",
        "segctl show segmnt:vip",
    ),
    "SEG512": Entry(
        "the run cannot be replayed",
        "`compact --vacuum` has deleted files that the run had read, so what was known then is gone.",
        "Explain as of the run's time instead: `--as-of TIME` uses today's knowledge of that time.",
    ),
    "SEG513": Entry(
        "unknown engine",
        "segctl evaluates with polars or duckdb.",
        "Choose one of them; polars is the default.",
    ),
    "SEG514": Entry(
        "the engine is not installed",
        "DuckDB is an extra, so that the core stays small.",
        "`pip install 'segctl[duckdb]'`.",
        "segctl apply --engine duckdb",
    ),
    "SEG516": Entry(
        "a list file cannot be read",
        "The file is missing, may not be read, is not UTF-8 text, or has a line that is no CSV.",
        "Check the path relative to the project folder and the quotation marks, and save it as UTF-8.",
    ),
    "SEG517": Entry(
        "a list file without that column",
        "The condition names a column that the file's first line does not have.",
        "Name one of the columns that the message lists.",
    ),
    "SEG518": Entry(
        "an instant where there is none to choose",
        "`show` tells of things as they are stored, and of members after a run; only traits are computed as of a time.",
        "Use `--run` for the members after an earlier run; `segctl apply --as-of TIME` records a run for that time.",
        "segctl show segment:vip --as-of yesterday",
    ),
    "SEG519": Entry(
        "a change breaks a guard of its definition",
        "More people entered or left than `guards` allow, or the segment is smaller or larger than they allow.",
        "Look at who moved and at `segctl history`; mend data or definition, or change `guards` when it is right.",
        "segctl diff --guards",
    ),
}
