"""What must not be written anywhere. Each pattern is spelt so that it does not match itself."""

import re

import pytest

from tests.tidy import tree

FORBIDDEN = {
    "a path that exists on one machine only": r"/wor[k]/|/hom[e]/|/roo[t]/|/User[s]/|\.\./share[d]",
    "the address of a package registry": (
        r"pypi\.or[g]|pythonhosted\.or[g]|npmjs\.(or[g]|co[m])|index-ur[l]|find-link[s]|/opt/pyp[i]"
    ),
    "work left for later": r"\b(TOD[O]|FIXM[E]|XX[X])\b",
    "what looks like a real access key": r"\bA[K]IA(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}\b",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_contains(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])

    found = [
        f"{tree.name(path)}:{number}: {line.strip()}"
        for path in tree.files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]

    assert found == []
