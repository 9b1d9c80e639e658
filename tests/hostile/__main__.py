"""`python -m tests.hostile`: hostile replies for the decoder, by the million.

    --inputs N --seed N     so many, of the seeds from this one on
    mutants                 the seeded bugs, each of which must be noticed

Ends with status 1 if a reply is judged wrongly, or a mutant goes unnoticed. A reply that was
judged wrongly is shown with its seed, which brings it again, and its bytes.
"""

import sys


def main(words: list[str]) -> int:
    # What imports the package is imported late: a mutant must be planted before.
    match words:
        case ["hunt", number]:
            from tests.hostile.mutants import MUTANTS  # noqa: PLC0415  see above
            from tests.simulation.planting import plant  # noqa: PLC0415  see above

            plant(MUTANTS[int(number)])
            from tests.hostile import campaign  # noqa: PLC0415  see above

            return campaign.hunt()
        case ["mutants"]:
            from tests.hostile import campaign_of_mutants  # noqa: PLC0415  see above

            return campaign_of_mutants.run()
        case _:
            from tests.hostile import campaign  # noqa: PLC0415  see above

            return campaign.run(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
