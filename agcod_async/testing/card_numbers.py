"""Numbers of physical cards: 16 digits and a checksum of 3.

How Amazon computes its checksum is not public, so the emulator checks none unless it is told one.
This is one to test with: each digit times its place, added up, modulo 1000. It finds any single
wrong digit, and any two neighbours of the 16 that changed places.
"""

CARD_NUMBER_LENGTH = 19
_SERIAL_LENGTH = 16


def card_number(serial: int) -> str:
    """Return the number of the card with this serial number (at most 16 digits)."""
    digits = f"{serial:0{_SERIAL_LENGTH}}"
    return digits + _checksum(digits)


def has_checksum(number: str) -> bool:
    """Return whether a number of 19 digits ends as `card_number` ends it."""
    return number[_SERIAL_LENGTH:] == _checksum(number[:_SERIAL_LENGTH])


def _checksum(digits: str) -> str:
    total = sum(place * int(digit) for place, digit in enumerate(digits, start=1))
    return f"{total % 1_000:03}"
