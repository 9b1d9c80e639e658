"""A local AGCOD to test against, and the tools to torment it."""
