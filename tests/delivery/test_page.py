"""The page about delivery: its scripts run, its commands are typed in, its receiver is asked."""

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agcod_async.delivery import message
from agcod_async.testing import Emulator
from tests.cli.stage import HEADER, Agcod, codes
from tests.delivery.cards import card_of, order_of
from tests.delivery.receiver import Post, received
from tests.tidy import tree

PAGE = tree.DOCS / "how-to" / "deliver-without-storing.md"
SECRET = "sixteen bytes or more"
SCRIPTS = {
    fence.text.split()[1].rstrip(","): fence.text
    for fence in tree.fences("python")
    if fence.page == PAGE and fence.text.startswith("# ")
}
COMMANDS = [
    line.removeprefix("$ agcod ")
    for fence in tree.fences("console")
    if fence.page == PAGE
    for line in fence.text.splitlines()
    if line.startswith("$ agcod ")
]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with the page's scripts and a file of orders, where `python` is this one."""
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    rows = (HEADER, "Emula1,10.00,USD", "Emula2,20.50,USD")
    (tmp_path / "orders.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("shop", None)


def receiver() -> Callable[[object, bytes, bytes, float], bool]:
    """The page's function, as whoever runs the other side would have it."""
    names: dict[str, object] = {}
    exec(SCRIPTS["receiver.py"], names)  # noqa: S102  our own page
    return names["is_ours"]  # type: ignore[return-value]


def test_the_page_has_what_is_tested_here() -> None:
    assert set(SCRIPTS) == {"shop.py", "deliver.py", "deliver_one.py", "receiver.py"}
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("number", range(3))
def test_each_command_delivers_every_card(
    number: int,
    agcod: Agcod,
    emulator: Emulator,
    shop: Path,
) -> None:
    ran = agcod(*shlex.split(COMMANDS[number]), "--json", "--deliver-attempts", "1")

    assert ran.code == 0, ran.err
    assert ran.objects[-1]["delivered"] == len(codes(emulator)) == 2
    if "shop" in sys.modules:
        assert sorted(sys.modules["shop"].handed_out.values()) == sorted(codes(emulator))


def test_the_webhook_delivers_every_card_and_the_receiver_believes_it(
    agcod: Agcod,
    emulator: Emulator,
    shop: Path,
) -> None:
    with received(status=200) as (url, posts):
        words = [url if word.startswith("https:") else word for word in shlex.split(COMMANDS[3])]
        ran = agcod(*words)

    assert ran.code == 0, ran.err
    assert sorted(json.loads(post.body)["claim_code"] for post in posts) == sorted(codes(emulator))
    for post in posts:
        signed_at = int(post.headers["agcod-timestamp"])
        assert believed(post, signed_at + 299)
        assert not believed(post, signed_at + 301), "an old one, sent again"
        assert not believed(Post(post.headers, post.body + b" "), signed_at)
        assert not receiver()(post.headers, post.body, b"another secret", signed_at)


def believed(post: Post, now: float) -> bool:
    return receiver()(post.headers, post.body, SECRET.encode(), now)


def test_the_card_on_the_page_has_the_members_that_are_sent() -> None:
    (fence,) = [fence for fence in tree.fences("json") if fence.page == PAGE]

    assert list(json.loads(fence.text)) == list(
        json.loads(message.card_message(card_of(1), order_of(1)))
    )


def test_every_header_that_is_sent_is_on_the_page() -> None:
    source = (tree.PACKAGE / "delivery" / "webhook.py").read_text("utf-8")
    text = PAGE.read_text("utf-8")

    for name in re.findall(r'"(agcod-\w+|idempotency-key)":', source):
        assert f"`{name}`" in text, name
