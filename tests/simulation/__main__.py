"""`python -m tests.simulation`: the simulation of the code that ships.

    (nothing)       the size that CI runs
    long            every schedule of up to four faults, and a million issuances
    seed N          one random world, with its history if it breaks a promise
    choices TEXT    one schedule, as a failure has printed it
    mutants         the seeded bugs, each of which must be noticed

Ends with status 1 if a promise is broken, or a mutant goes unnoticed.
"""

import sys


def main(words: list[str]) -> int:
    # What imports the package is imported late: a mutant must be planted before.
    match words:
        case ["hunt", number]:
            from tests.simulation import campaign_of_mutants  # noqa: PLC0415  see above

            return campaign_of_mutants.hunt(int(number))
        case ["mutants", *names]:
            from tests.simulation import campaign_of_mutants  # noqa: PLC0415  see above

            return campaign_of_mutants.run(names)
        case _:
            from tests.simulation import campaign  # noqa: PLC0415  see above

            return campaign.run(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
