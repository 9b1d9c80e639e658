import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from agcod_async.cli.exits import ExitCode
from agcod_async.cli.main import COMMANDS, parser
from agcod_async.cli.orders_file import OPTIONAL_COLUMNS, REQUIRED_COLUMNS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "command-line.md"
OPTION = re.compile(r"--[a-z][a-z-]*|(?<!\S)`-[a-z]\b")


def leaves(
    top: argparse.ArgumentParser, name: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Return each command that does something, by its full name."""
    groups = [a for a in top._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield name, top
    for group in groups:
        for word, below in group.choices.items():
            yield from leaves(below, f"{name} {word}".strip())


def sections() -> dict[str, str]:
    """Return the text of the page below each `agcod ...` heading."""
    parts = re.split(r"^## `agcod (.+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_names_exactly_the_commands_that_there_are() -> None:
    assert set(sections()) == {name for name, _ in leaves(parser())} == set(COMMANDS)


def test_the_page_names_exactly_the_options_that_there_are() -> None:
    for name, command in leaves(parser()):
        there_are = {option for action in command._actions for option in action.option_strings}
        named = {option.lstrip("`") for option in OPTION.findall("".join(_rows(sections()[name])))}

        assert named == there_are - {"-h", "--help"}, name


def _rows(section: str) -> Iterator[str]:
    """Return the first cells of the tables, where the options stand."""
    for line in section.splitlines():
        if line.startswith("| `"):
            yield line.split("|")[1]


def test_the_page_names_every_choice_and_every_column() -> None:
    text = PAGE.read_text(encoding="utf-8")
    choices = {
        str(choice)
        for _, command in leaves(parser())
        for action in command._actions
        for choice in action.choices or ()
    }

    for word in (*choices, *REQUIRED_COLUMNS, *OPTIONAL_COLUMNS):
        assert f"`{word}`" in text, word


def test_the_page_explains_every_exit_code() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [int(code) for code in re.findall(r"^\| (\d) \|", text, re.MULTILINE)] == sorted(
        ExitCode
    )


def test_help_explains_every_command_and_exit_code() -> None:
    text = parser().format_help()

    assert all(name.split()[0] in text for name in COMMANDS)
    assert all(re.search(rf"^  {int(code)}  ", text, re.MULTILINE) for code in ExitCode)
