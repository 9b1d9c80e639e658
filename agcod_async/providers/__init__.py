"""Providers as data: their operations, codecs, error catalogues and recovery tables."""
