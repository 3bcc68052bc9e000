"""Why profiles came and went."""
