"""Segments that move while events come in."""
