import ast
import re

from tests.tidy import tree

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
EMPTY_NAMES = re.compile(r"_?(common|data|helpers?|managers?|misc|utils?)")


def test_a_file_of_the_package_has_one_reason_to_exist() -> None:
    lengths = {
        tree.name(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in tree.python_files(tree.PACKAGE)
    }

    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_a_function_fits_a_screen() -> None:
    lengths = {
        f"{tree.name(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in tree.python_files()
        for node in ast.walk(tree.syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}


def test_a_module_is_named_for_what_it_is_about() -> None:
    names = {tree.name(path): path.stem for path in tree.python_files()}

    assert {path for path, name in names.items() if EMPTY_NAMES.fullmatch(name)} == set()
