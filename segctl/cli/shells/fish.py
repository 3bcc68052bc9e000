"""The completion script of fish."""

from __future__ import annotations

from segctl.cli.shells.declared import FLAG, MARK, TEXT, completed, quoted, with_values
from segctl.cli.table import COMMANDS

_FISH = r"""# fish @MARK@ fish`

# True when exactly this many arguments of the verb stand before the cursor; `+` for at least.
function __segctl_at
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = $argv[1]; or return 1
    set -l count 0
    set -l skip 0
    for word in $words[3..-1]
        if test $skip -eq 1
            set skip 0
        else if contains -- $word (string split ' ' -- $argv[3])
            set skip 1
        else if not string match -q -- '-*' $word
            set count (math $count + 1)
        end
    end
    test $skip -eq 0; or return 1
    if string match -q -- '*+' $argv[2]
        test $count -ge (string replace '+' '' $argv[2])
    else
        test $count -eq $argv[2]
    end
end

function __segctl_names
    set -l words (commandline -opc)
    set -l folder ''
    for i in (seq (count $words))
        if contains -- $words[$i] -C --project
            set -l next (math $i + 1)
            set folder $words[$next]
        end
    end
    segctl __complete $argv[1] (commandline -ct) "$folder" 2>/dev/null
end

complete -c segctl -f
complete -c segctl -n '__fish_is_first_arg' -l help -s h -d 'Help'
complete -c segctl -n '__fish_is_first_arg' -l version -s V -d 'Version'
"""


def fish() -> str:
    """The script for fish 3 or newer."""
    lines = [_FISH.replace("@MARK@", MARK).rstrip("\n")]
    for verb, command in COMMANDS.items():
        lines.append(f"complete -c segctl -n '__fish_is_first_arg' -a {verb} -d '{quoted(command.summary)}'")
    for verb in COMMANDS:
        options, arguments = completed(verb)
        takes = " ".join(flag for o in with_values(options) for flag in o.flags)
        for position, argument in enumerate(arguments):
            at = f"{position}+" if argument.is_list else f"{position}"
            lines.append(f"complete -c segctl -n '__segctl_at {verb} {at} \"{takes}\"' {_fish_values(argument.values)}")
        for option in options:
            shapes = " ".join(f"-l {f[2:]}" if f.startswith("--") else f"-s {f[1:]}" for f in option.flags)
            needs = " -r" if option.values == "files" else " -x"
            values = "" if option.values == FLAG else f"{needs} {_fish_values(option.values)}".rstrip()
            seen = f"-n '__fish_seen_subcommand_from {verb}'"
            lines.append(f"complete -c segctl {seen} {shapes}{values} -d '{quoted(option.help)}'")
    return "\n".join(lines) + "\n"


def _fish_values(values: str) -> str:
    if values.startswith("="):
        return f"-a '{values[1:]}'"
    if values == "files":
        return "-F"
    if values == "folders":
        return "-a '(__fish_complete_directories)'"
    if values in ("verbs", "topics"):
        names = " ".join(COMMANDS)
        return f"-a '{names} (__segctl_names topics)'" if values == "topics" else f"-a '{names}'"
    return "" if values == TEXT else f"-a '(__segctl_names {values})'"
