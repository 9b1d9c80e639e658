"""The benchmark suite: one question each, side by side with peers, and ratios for answers."""
