"""Topics of `segctl help`, as package data: one Markdown file each, at most 80 columns."""
