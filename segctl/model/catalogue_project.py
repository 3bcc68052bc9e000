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
}
