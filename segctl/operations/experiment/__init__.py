"""Planning, starting and stopping experiments, and who gets which arm."""
