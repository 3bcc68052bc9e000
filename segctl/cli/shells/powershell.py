"""The completion script of PowerShell."""

from __future__ import annotations

from segctl.cli.shells.declared import MARK, cases, completed
from segctl.cli.table import COMMANDS

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

    summaries = cases(lambda verb: f"        '{verb}' = '{COMMANDS[verb].summary.replace(chr(39), chr(39) * 2)}'")
    text = _POWERSHELL.replace("@SUMMARIES@", summaries).replace("@OPTIONS@", cases(options))
    return text.replace("@ARGUMENTS@", cases(arguments)).replace("@MARK@", MARK)
