"""Answers of a few profiles, within milliseconds."""
