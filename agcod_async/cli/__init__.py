"""The `agcod` command: thin, one file a command."""
