"""YAML with positions to bound model to IR; lint, selection, explanations."""
