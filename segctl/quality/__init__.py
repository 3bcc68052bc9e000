"""Contracts and checks: frames in, masks and reasons out. Knows no file, no workspace and no command."""
