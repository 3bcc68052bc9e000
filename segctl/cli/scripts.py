"""Completion scripts for shells, from the table and the declarations.

Verbs, options and fixed choices are written into the script, so a TAB press on them starts no Python; names of a
project come from `segctl __complete`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from segctl.cli.helptext import verb_spec
from segctl.cli.options import Argument, Option, Parameter, VerbSpec
from segctl.cli.table import COMMANDS

MARK = "completion for segctl; written by `segctl completion show"
FLAG, TEXT = "flag", "text"


@dataclass(frozen=True, slots=True)
class Completed:
    """How one option or argument is completed.

    Attributes:
        flags: Of an option; empty for arguments.
        values: ``flag`` for no value, ``text`` for anything, ``=a b c`` for choices, else a kind of names.
        help: One line.
        is_list: The argument may be repeated.
    """

    flags: tuple[str, ...]
    values: str
    help: str
    is_list: bool = False


def completed(verb: str) -> tuple[list[Completed], list[Completed]]:
    """Options and arguments of a verb."""
    spec = verb_spec(verb)
    options = [_completed(p, spec) for p in spec.parameters if isinstance(p.declared, Option)]
    options.append(Completed(("-h", "--help"), FLAG, "Help on this verb"))
    arguments = [_completed(p, spec) for p in spec.own if isinstance(p.declared, Argument)]
    return options, arguments


def _completed(parameter: Parameter, spec: VerbSpec) -> Completed:
    declared = parameter.declared
    choices = spec.formats if parameter.shared and parameter.name == "format" else declared.choices
    values = FLAG if parameter.is_flag else f"={' '.join(choices)}" if choices else declared.complete or TEXT
    flags = declared.flags if isinstance(declared, Option) else ()
    first = declared.help.partition(". ")[0].partition(";")[0].removesuffix(".")
    return Completed(flags, values, first, parameter.is_list)


def _cases(make: Callable[[str], str]) -> str:
    return "\n".join(make(verb) for verb in COMMANDS)


def _with_values(options: list[Completed]) -> list[Completed]:
    return [o for o in options if o.values != FLAG]


# --- bash and zsh ----------------------------------------------------------------------------------------
_POSIX_BODY = r"""
# Sets `options`, `arguments` (how each is completed) and `takes` (options with a value) for a verb.
_segctl_verb() {
  case "$1" in
@VERBS@
  *) return 1 ;;
  esac
}

# Prints how the value of an option is completed: `=a b c`, a kind of names, or `text`.
_segctl_value() {
  case "$1 $2" in
@VALUES@
  *) echo text ;;
  esac
}
"""


def _posix_body() -> str:
    def verb(name: str) -> str:
        options, arguments = completed(name)
        flags = " ".join(flag for o in options for flag in o.flags)
        takes = " ".join(flag for o in _with_values(options) for flag in o.flags)
        kinds = " ".join(f"'{a.values}{'+' if a.is_list else ''}'" for a in arguments)
        return f"  {name}) options='{flags}'; takes=' {takes} '; arguments=({kinds}) ;;"

    by_values: dict[str, list[str]] = {}
    for name in COMMANDS:
        for option in _with_values(completed(name)[0]):
            if option.values != TEXT:
                by_values.setdefault(option.values, []).extend(f"'{name} {flag}'" for flag in option.flags)
    values = "\n".join(f"  {_wrapped(patterns)}) echo '{of}' ;;" for of, patterns in sorted(by_values.items()))
    return _POSIX_BODY.replace("@VERBS@", _cases(verb)).replace("@VALUES@", values)


def _wrapped(patterns: list[str]) -> str:
    return " \\\n    | ".join(" | ".join(patterns[i : i + 4]) for i in range(0, len(patterns), 4))


_BASH = r"""# bash @MARK@ bash`
@BODY@
_segctl_offer() {
  local kind="${1%+}" line
  case "$kind" in
  '='*) COMPREPLY=($(compgen -W "${kind#=}" -- "$cur")) ;;
  files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
  folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
  verbs) COMPREPLY=($(compgen -W "@NAMES@" -- "$cur")) ;;
  text | '') ;;
  topics) COMPREPLY=($(compgen -W "@NAMES@" -- "$cur") $(segctl __complete topics "$cur" 2>/dev/null | cut -f1)) ;;
  *)
    while IFS= read -r line; do
      COMPREPLY+=("${line%%$'\t'*}")
    done < <(segctl __complete "$kind" "$cur" "$folder" 2>/dev/null)
    ;;
  esac
}

_segctl() {
  # Split by blanks only: bash's own words end at colons, and `segment:vip` is one word of ours.
  local line="${COMP_LINE:0:COMP_POINT}" cur='' folder='' options takes arguments i count=0 before
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] || { cur="${words[-1]}"; unset 'words[-1]'; }
  COMPREPLY=()
  if ((${#words[@]} < 2)); then
    COMPREPLY=($(compgen -W "@NAMES@ --help --version" -- "$cur"))
    return
  fi
  _segctl_verb "${words[1]}" || return
  before="${words[-1]}"
  for ((i = 2; i < ${#words[@]}; i++)); do
    case "${words[i]}" in
    -C | --project) folder="${words[i + 1]:-}" ;;
    esac
    if [[ $takes == *" ${words[i]} "* ]]; then ((i++)); elif [[ ${words[i]} != -* ]]; then ((count++)); fi
  done
  if [[ $takes == *" $before "* ]]; then
    _segctl_offer "$(_segctl_value "${words[1]}" "$before")"
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif ((count < ${#arguments[@]})); then
    _segctl_offer "${arguments[count]}"
  elif ((${#arguments[@]})) && [[ ${arguments[-1]} == *+ ]]; then
    _segctl_offer "${arguments[-1]}"
  fi
  # What stands before the last colon is already on the line as far as bash is concerned.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
  fi
}

complete -F _segctl segctl
"""


def bash() -> str:
    """The script for bash 4.4 or newer."""
    text = _BASH.replace("@BODY@", _posix_body()).replace("@NAMES@", " ".join(COMMANDS))
    return text.replace("@MARK@", MARK)


_ZSH = r"""#compdef segctl
# zsh @MARK@ zsh`
@BODY@
_segctl_offer() {
  local kind="${1%+}"
  local -a found
  case "$kind" in
  '='*) compadd -- ${(s: :)${kind#=}} ;;
  files) _files ;;
  folders) _files -/ ;;
  verbs) _segctl_verbs ;;
  text | '') ;;
  topics)
    _segctl_verbs
    compadd -- ${(f)"$(segctl __complete topics '' 2>/dev/null | cut -f1)"}
    ;;
  *)
    found=(${(f)"$(segctl __complete "$kind" "$PREFIX" "$folder" 2>/dev/null)"})
    compadd -Q -d found -- ${found%%$'\t'*}
    ;;
  esac
}

_segctl_verbs() {
  local -a verbs
  verbs=(
@SUMMARIES@
  )
  _describe -t verbs 'verb' verbs
}

_segctl() {
  local options takes folder='' verb before word
  local -a arguments
  integer i count=0
  if ((CURRENT == 2)); then
    _segctl_verbs
    compadd -- --help --version
    return
  fi
  verb="${words[2]}"
  _segctl_verb "$verb" || return
  before="${words[CURRENT - 1]}"
  for ((i = 3; i < CURRENT; i++)); do
    word="${words[i]}"
    [[ $word == (-C|--project) ]] && folder="${words[i + 1]}"
    if [[ $takes == *" $word "* ]]; then ((i++)); elif [[ $word != -* ]]; then ((count++)); fi
  done
  if ((CURRENT > 3)) && [[ $takes == *" $before "* ]]; then
    _segctl_offer "$(_segctl_value "$verb" "$before")"
  elif [[ $PREFIX == -* ]]; then
    compadd -- ${(s: :)options}
  elif ((count < $#arguments)); then
    _segctl_offer "${arguments[count + 1]}"
  elif (($#arguments)) && [[ ${arguments[-1]} == *+ ]]; then
    _segctl_offer "${arguments[-1]}"
  fi
}

if [ "$funcstack[1]" = "_segctl" ]; then
  _segctl "$@"
else
  compdef _segctl segctl
fi
"""


def zsh() -> str:
    """The script for zsh 5 or newer, to be named `_segctl` in a folder of `fpath`."""
    summaries = _cases(lambda verb: f"    '{verb}:{_quoted(_colons_escaped(COMMANDS[verb].summary))}'")
    text = _ZSH.replace("@BODY@", _posix_body()).replace("@SUMMARIES@", summaries)
    return text.replace("@MARK@", MARK)


def _colons_escaped(text: str) -> str:
    return text.replace(":", "\\:")


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")


# --- fish ------------------------------------------------------------------------------------------------
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
        lines.append(f"complete -c segctl -n '__fish_is_first_arg' -a {verb} -d '{_quoted(command.summary)}'")
    for verb in COMMANDS:
        options, arguments = completed(verb)
        takes = " ".join(flag for o in _with_values(options) for flag in o.flags)
        for position, argument in enumerate(arguments):
            at = f"{position}+" if argument.is_list else f"{position}"
            lines.append(f"complete -c segctl -n '__segctl_at {verb} {at} \"{takes}\"' {_fish_values(argument.values)}")
        for option in options:
            shapes = " ".join(f"-l {f[2:]}" if f.startswith("--") else f"-s {f[1:]}" for f in option.flags)
            needs = " -r" if option.values == "files" else " -x"
            values = "" if option.values == FLAG else f"{needs} {_fish_values(option.values)}".rstrip()
            seen = f"-n '__fish_seen_subcommand_from {verb}'"
            lines.append(f"complete -c segctl {seen} {shapes}{values} -d '{_quoted(option.help)}'")
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


# --- PowerShell ------------------------------------------------------------------------------------------
_POWERSHELL = r"""# PowerShell @MARK@ powershell`
Register-ArgumentCompleter -Native -CommandName segctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $verbs = [ordered]@{
@SUMMARIES@
    }
    $options = @{
@OPTIONS@
    }
    $arguments = @{
@ARGUMENTS@
    }
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition } |
        ForEach-Object { $_.Extent.Text })
    if ($wordToComplete -and $words.Count -gt 0) { $words = @($words | Select-Object -SkipLast 1) }
    function Offer($kind) {
        $kind = $kind.TrimEnd('+')
        if ($kind.StartsWith('=')) { $found = $kind.Substring(1) -split ' ' }
        elseif ($kind -in 'text', 'files', 'folders') { return }
        else {
            $found = @(segctl __complete $kind "$wordToComplete" 2>$null | ForEach-Object { ($_ -split "`t")[0] })
            if ($kind -in 'topics', 'verbs') { $found += $verbs.Keys }
        }
        $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
        }
    }
    if ($words.Count -lt 2) {
        $verbs.GetEnumerator() | Where-Object { $_.Key -like "$wordToComplete*" } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_.Key, $_.Key, 'ParameterValue', $_.Value)
        }
        return
    }
    $known = $options[$words[1]]
    if ($null -eq $known) { return }
    $before = $words[-1]
    if ($known.Contains($before) -and $known[$before] -ne 'flag') { Offer $known[$before]; return }
    if ($wordToComplete -like '-*') {
        $known.Keys | Where-Object { $_ -clike "$wordToComplete*" } | Sort-Object | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterName', $_)
        }
        return
    }
    $count = 0
    for ($i = 2; $i -lt $words.Count; $i++) {
        if ($known.Contains($words[$i]) -and $known[$words[$i]] -ne 'flag') { $i++ }
        elseif ($words[$i] -notlike '-*') { $count++ }
    }
    $kinds = @($arguments[$words[1]])
    if ($count -lt $kinds.Count) { Offer $kinds[$count] }
    elseif ($kinds.Count -gt 0 -and $kinds[-1].EndsWith('+')) { Offer $kinds[-1] }
}
"""


def powershell() -> str:
    """The script for PowerShell 7 or newer."""

    def options(verb: str) -> str:
        # Keys of a table ignore case, but -v and -V, -c and -C are different options.
        pairs = "\n".join(
            f"            $table['{flag}'] = '{o.values}'" for o in completed(verb)[0] for flag in o.flags
        )
        return (
            f"        '{verb}' = & {{\n"
            "            $table = [System.Collections.Generic.Dictionary[string, string]]::new()\n"
            f"{pairs}\n            Write-Output -NoEnumerate $table\n        }}"
        )

    def arguments(verb: str) -> str:
        kinds = ", ".join(f"'{a.values}{'+' if a.is_list else ''}'" for a in completed(verb)[1])
        return f"        '{verb}' = @({kinds})"

    summaries = _cases(lambda verb: f"        '{verb}' = '{COMMANDS[verb].summary.replace(chr(39), chr(39) * 2)}'")
    text = _POWERSHELL.replace("@SUMMARIES@", summaries).replace("@OPTIONS@", _cases(options))
    return text.replace("@ARGUMENTS@", _cases(arguments)).replace("@MARK@", MARK)


SHELLS: dict[str, Callable[[], str]] = {"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}
FILE_NAMES = {"bash": "segctl.bash", "zsh": "_segctl", "fish": "segctl.fish", "powershell": "segctl.ps1"}
