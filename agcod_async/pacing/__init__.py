"""When a request may leave: one permit for every attempt, whatever its leg."""
