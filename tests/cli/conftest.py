"""Fixtures of the command line's tests."""

from __future__ import annotations

from cli_process import on_terminal, run, small_project

__all__ = ["on_terminal", "run", "small_project"]
