"""`python -m agcod_async.cli`: the `agcod` command where its script is not on the path."""

from agcod_async.cli.main import run

if __name__ == "__main__":
    run()
