"""Asking only profiles with something new."""
