"""Codes about the workspace: storage, locks, integrity, runs on record."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG601": Entry(
        "no workspace yet",
        "The command reads what earlier commands stored, and nothing has been stored for this environment.",
        "Run `segctl ingest` first, or name the right project and environment with `-C` and `--env`.",
        "segctl ls runs --env prod    # before any `segctl ingest --env prod`",
    ),
    "SEG602": Entry(
        "workspace of a newer version",
        "A newer segctl has stored data here in a form this version does not know; reading it could misread it.",
        "Install at least the version that the message names. Nothing was changed.",
    ),
    "SEG603": Entry(
        "workspace on a network file system",
        "Locks and the order of writes are not reliable on network file systems, so a crash could lose data.",
        "Put the workspace on a local disk (`workspace:` in segctl.yaml), or set "
        "`SEGCTL_ALLOW_NETWORK_WORKSPACE=1` if one machine alone uses it and you accept the risk.",
        "workspace: /mnt/nfs/segctl",
    ),
    "SEG604": Entry(
        "locked by another process",
        "Another segctl process is at the same work; doing it twice at once would only undo one another.",
        "Try again when it has ended, or wait for it with `--lock-wait 5m`. A lock ends with its process.",
        "segctl compact &\nsegctl compact",
    ),
    "SEG605": Entry(
        "database busy",
        "Another process kept the workspace's database for longer than this one was allowed to wait.",
        "Try again unchanged; `--lock-wait 5m` waits longer.",
    ),
    "SEG606": Entry(
        "no space left",
        "The disk, the quota or the file size limit is used up. What was committed before is safe.",
        "Make room (`segctl compact --vacuum` deletes files nobody needs) and run the command again.",
    ),
    "SEG607": Entry(
        "workspace cannot be read or written",
        "The operating system refused to read or write a file of the workspace: rights, a read-only or a failing disk.",
        "Check rights and disk of the path in the message, then run the command again.",
    ),
    "SEG608": Entry(
        "snapshot no longer kept",
        "`segctl compact --vacuum` has deleted files that this past state was made of, since its retention was over.",
        "Use a newer run, or evaluate that time with today's knowledge: `--as-of` instead of `--run`.",
        "segctl explain winback c-17 --run r1a2b3c4d",
    ),
    "SEG609": Entry(
        "a file of the workspace is missing",
        "The workspace's database lists a file that is not on disk; somebody or something else has removed it.",
        "Restore the workspace from a backup, or ingest the sources again into a new workspace.",
    ),
    "SEG610": Entry(
        "the workspace's database is damaged",
        "`state.db` is not a database of segctl, or its pages do not fit together.",
        "Restore the workspace from a backup, or ingest the sources again into a new workspace.",
    ),
    "SEG611": Entry(
        "no such run",
        "No recorded run has this id, begins with it, or lies at or before this time.",
        "`segctl ls runs` lists them; `last` and `previous` always name the newest two in force.",
        "segctl diff --from r99",
    ),
    "SEG612": Entry(
        "more than one run begins so",
        "A run may be named by the beginning of its id as long as only one run begins so.",
        "Give more characters of the id; `segctl ls runs` lists them.",
        "segctl diff --from r",
    ),
    "SEG613": Entry(
        "files changed meanwhile",
        "Another process replaced files that this one was about to replace; nothing was changed here.",
        "Run the command again unchanged.",
    ),
    "SEG614": Entry(
        "no membership recorded",
        "No run in force has evaluated this segment yet.",
        "Run `segctl apply` first; `segctl ls segments` shows what is defined.",
        "segctl history new_segment",
    ),
    "SEG615": Entry(
        "a file of the workspace is damaged",
        "A stored file has lost bytes or cannot be read to its end: a failing disk, or something else wrote into it.",
        "Restore the workspace from a backup, or move it away and ingest the sources again. Then look at the disk.",
    ),
    "SEG616": Entry(
        "the workspace's database is gone",
        "`state.db` is missing or empty while the files it described are still there. A new one would not know them.",
        "Restore the workspace from a backup, or move its folder away and ingest the sources again.",
        "rm .segctl/dev/state.db\nsegctl ingest",
    ),
}
