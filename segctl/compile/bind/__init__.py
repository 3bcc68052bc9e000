"""Nodes to frozen condition dataclasses: names resolved, literals typed, every problem collected with its place."""
