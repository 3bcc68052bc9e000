"""The shells that segctl completes in, and the names of their files in the repository."""

from __future__ import annotations

from collections.abc import Callable

from segctl.cli.shells.declared import MARK, Completed, completed
from segctl.cli.shells.fish import fish
from segctl.cli.shells.posix import bash, zsh
from segctl.cli.shells.powershell import powershell

__all__ = ["FILE_NAMES", "MARK", "SHELLS", "Completed", "bash", "completed", "fish", "powershell", "zsh"]

SHELLS: dict[str, Callable[[], str]] = {"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}
FILE_NAMES = {"bash": "segctl.bash", "zsh": "_segctl", "fish": "segctl.fish", "powershell": "segctl.ps1"}
