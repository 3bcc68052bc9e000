"""Options in, text and exit code out; the only place that prints, asks or reads the clock."""
