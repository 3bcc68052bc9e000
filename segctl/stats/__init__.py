"""What the numbers say: tests, intervals and lifts. Pure functions; nothing is read or printed here."""
