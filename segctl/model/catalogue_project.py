"""Codes about the command line, the project and its settings."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG101": Entry(
        "No such verb",
        "The first word after `segctl` is not one of its verbs. Options stand after the verb, never before it.",
        "Use the nearest verb that the message names, or look at `segctl --help`.",
        "segctl aply",
    ),
    "SEG102": Entry(
        "No such option",
        "The verb has no option of this name. Verbs leave out shared options that make no sense for them.",
        "Use the nearest option that the message names, or look at `segctl VERB --help`.",
        "segctl ls --formt json",
    ),
    "SEG103": Entry(
        "A value that the option does not take",
        "An option or argument got a value outside of its choices, or text where a number or a time belongs.",
        "Write one of the values that the message names.",
        "segctl ls -f xml",
    ),
    "SEG104": Entry(
        "The command is incomplete or contradicts itself",
        "An argument or a value is missing, there is one argument too many, or two options exclude each other.",
        "Compare with the usage line that the message prints.",
        "segctl ls -f parquet",
    ),
    "SEG105": Entry(
        "The project cannot be found",
        "There is no `segctl.yaml` in the folder or above it, or the folder of `--project` does not exist.",
        "Change into the project, name it with `--project DIR`, or start one with `segctl init`.",
        "segctl ls segments -C /nowhere",
    ),
    "SEG106": Entry(
        "No such schema",
        "`segctl schema` prints only the JSON Schemas that ship with segctl.",
        "`segctl schema` without a name lists them.",
        "segctl schema segmnt",
    ),
    "SEG107": Entry(
        "No such help topic",
        "What was asked for is neither a verb, nor a topic, nor an error code.",
        "`segctl help` without a name lists all topics.",
        "segctl help windwos",
    ),
    "SEG108": Entry(
        "A question that nobody can answer",
        "The command needs a confirmation, and there is no terminal to ask on, or `--no-input` or `CI` is set.",
        "Look at what it would do with `--dry-run`, then answer with `--yes`.",
    ),
    "SEG109": Entry(
        "The answer was no",
        "The confirmation was declined, so nothing was changed.",
        "Run the command again when you want it to happen.",
    ),
    "SEG110": Entry(
        "The time limit is over",
        "The command took longer than `--timeout` allows and was ended. What was committed stays.",
        "Run it again, it goes on where it was; or allow more time.",
        "segctl apply --timeout 1ms",
    ),
    "SEG111": Entry(
        "A file cannot be read or written",
        "The system refused: the disk is full, a permission is missing, or the file has vanished.",
        "Mend what the message names and run the command again. Nothing half-written is used.",
        "segctl ls segments > /dev/full",
    ),
    "SEG112": Entry(
        "The memory is used up",
        "The machine has no memory left for this step.",
        "Select fewer segments at a time, or give the process more memory.",
    ),
    "SEG113": Entry(
        "Shell completion cannot be installed",
        "The shell is unknown, or a file of somebody else stands where the script belongs.",
        "Print the script with `segctl completion show SHELL` and put it where your shell looks.",
        "segctl completion install --shell tcsh",
    ),
    "SEG115": Entry(
        "No identifier on standard input",
        "`-` in the place of a person reads one identifier from standard input, and there was none.",
        "Pipe the identifier in; it then stays out of the history of your shell.",
        "echo | segctl profile -",
    ),
    "SEG121": Entry(
        "The project file cannot be read",
        "`segctl.yaml` is no YAML, or not what a project file must be; the findings before this line say where.",
        "Mend the findings; `segctl config validate` lists them again.",
    ),
    "SEG122": Entry(
        "No such environment",
        "The name of `--env` or `SEGCTL_ENV` does not stand under `environments` in `segctl.yaml`.",
        "Use one of the names that the message gives, or declare the environment.",
        "segctl ls segments --env prodd",
    ),
    "SEG123": Entry(
        "A project file of another version",
        "The number under `segctl:` says which form the file has, and this segctl does not know it.",
        "Write `segctl: 1`, or install a newer segctl.",
        "segctl: 2",
    ),
    "SEG124": Entry(
        "Not a time zone",
        "`timezone` must be a name of the IANA database, because calendar words depend on its clock changes.",
        "Write a name such as `Europe/Berlin` or `UTC`.",
        "timezone: Berlin",
    ),
    "SEG125": Entry(
        "Not a type",
        "A trait, property or field has a type that segctl does not know, or one nested in a way it cannot store.",
        "Use text, integer, number, money, boolean, date, time, list or struct.",
        "traits:\n  points: int",
    ),
    "SEG126": Entry(
        "A name that segctl needs itself",
        "Some names have a meaning in definitions, so no segment, trait, event or property may have them.",
        "Choose another name.",
    ),
    "SEG127": Entry(
        "Not a file of definitions",
        "The path given to a check holds no definition of this project.",
        "Name a file or folder below segments, traits or sources, or leave the path out to check everything.",
        "segctl lint README.md",
    ),
    "SEG128": Entry(
        "No such lint rule",
        "Levels and waivers name rules by their name or code, and no rule has this one.",
        "Use the nearest name that the hint gives; `segctl help rules` lists all rules.",
        "lint: {rules: {alway_true: error}}",
    ),
    "SEG129": Entry(
        "Not a level of a lint rule",
        "A rule is an `error`, a `warning`, a `note`, or `off`.",
        "Write one of the four words.",
        "lint: {rules: {missing_owner: fatal}}",
    ),
    "SEG130": Entry(
        "The lint rule has no such option",
        "Few rules have options, and each has its own; the page of the rule names them.",
        "Use the nearest name that the hint gives, or look at `segctl help CODE`.",
        "lint: {rules: {missing_owner: {most: 5}}}",
    ),
    "SEG131": Entry(
        "A waiver of a lint rule is not complete",
        "A comment that accepts a finding names the rule, the last day on which it holds, and the reason, so that "
        "nobody has to guess later why something odd was left as it is.",
        "Write the comment on the line of the finding, or on a line of its own right above it.",
        "# lint: allow missing_owner until 2026-12-31 because the team is being founded",
    ),
    "SEG132": Entry(
        "A waiver of a lint rule has expired",
        "The day that the comment names is over, so the finding counts again.",
        "Mend what the rule finds, or set a new day.",
        "# lint: allow missing_owner until 2020-01-31 because the team is being founded",
    ),
    "SEG133": Entry(
        "A waiver of a lint rule is not needed",
        "The rule finds nothing in the line that the comment speaks about, so the comment would hide a later mistake.",
        "Delete the comment.",
        "# lint: allow missing_owner until 2026-12-31 because the team is being founded",
    ),
    "SEG135": Entry(
        "The folder for pages holds files of others",
        "`show --html` writes many files; a folder that holds others, and no site of segctl, is probably a mistake.",
        "Name a new folder, or allow it with `--force`: other files stay, pages of the same name are replaced.",
        "segctl show --html segments",
    ),
}
