"""Bringing destinations to what audiences are."""
