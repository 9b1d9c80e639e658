"""What is decided, apart from how it is done: pure values, no await, clock, chance or logging."""
