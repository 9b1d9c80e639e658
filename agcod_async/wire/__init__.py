"""How bytes are signed and exchanged. Nothing here knows what they mean."""
