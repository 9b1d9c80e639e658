"""Nothing falls through: what is not recognised has a meaning, too."""

import ast

from tests.tidy import tree


def _takes_everything(pattern: ast.pattern | None) -> bool:
    return pattern is None or (
        isinstance(pattern, ast.MatchAs) and _takes_everything(pattern.pattern)
    )


def test_every_match_ends_in_a_case_for_everything_else() -> None:
    ends = {
        f"{tree.name(path)}:{node.lineno}": node.cases[-1]
        for path in tree.python_files(tree.PACKAGE)
        for node in ast.walk(tree.syntax(path))
        if isinstance(node, ast.Match)
    }

    assert ends
    assert [
        place for place, end in ends.items() if end.guard or not _takes_everything(end.pattern)
    ] == []
