"""The completion scripts of bash and zsh."""

from __future__ import annotations

from segctl.cli.shells.declared import MARK, TEXT, cases, completed, quoted, with_values
from segctl.cli.table import COMMANDS

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
        takes = " ".join(flag for o in with_values(options) for flag in o.flags)
        kinds = " ".join(f"'{a.values}{'+' if a.is_list else ''}'" for a in arguments)
        return f"  {name}) options='{flags}'; takes=' {takes} '; arguments=({kinds}) ;;"

    by_values: dict[str, list[str]] = {}
    for name in COMMANDS:
        for option in with_values(completed(name)[0]):
            if option.values != TEXT:
                by_values.setdefault(option.values, []).extend(f"'{name} {flag}'" for flag in option.flags)
    values = "\n".join(f"  {_wrapped(patterns)}) echo '{of}' ;;" for of, patterns in sorted(by_values.items()))
    return _POSIX_BODY.replace("@VERBS@", cases(verb)).replace("@VALUES@", values)


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
    summaries = cases(lambda verb: f"    '{verb}:{quoted(_colons_escaped(COMMANDS[verb].summary))}'")
    text = _ZSH.replace("@BODY@", _posix_body()).replace("@SUMMARIES@", summaries)
    return text.replace("@MARK@", MARK)


def _colons_escaped(text: str) -> str:
    return text.replace(":", "\\:")
