"""The workspace: a SQLite manifest and immutable files."""
