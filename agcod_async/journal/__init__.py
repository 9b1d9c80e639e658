"""What must survive: every call that moves value, on record before its first byte leaves."""
