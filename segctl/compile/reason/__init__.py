"""What follows from definitions alone: what is always, never or doubly said. Pure, standard library only.

Soundness first: every answer but "don't know" holds for all data at every instant that is asked for.
"""
