"""Working through any number of things, a bounded number at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


async def at_once(
    most: int,
    items: AsyncIterator[ItemT],
    do: Callable[[ItemT], Coroutine[object, object, ResultT]],
) -> AsyncIterator[ResultT]:
    """Iterate over what `do` makes of `items`, as it comes; `most` of them are under way at a time.

    An item is taken when there is room for it, so nothing is held that is not worked on. Whoever
    stops iterating stops what is under way. What `do` raises is raised here.
    """
    under_way: set[asyncio.Task[ResultT]] = set()
    ended: deque[asyncio.Task[ResultT]] = deque()  # in the order of their ends
    has_more = True
    try:
        while has_more or under_way:
            while has_more and len(under_way) < most:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    has_more = False
                    break
                task = asyncio.create_task(do(item))
                task.add_done_callback(ended.append)
                under_way.add(task)
            if under_way and not ended:
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            while ended:
                task = ended.popleft()
                under_way.discard(task)
                yield task.result()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
