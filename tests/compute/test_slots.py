import asyncio

import pytest

from jupyter_fpga.compute.builds.slots import Slots


async def test_slots_go_by_rank_and_then_by_order() -> None:
    slots = Slots(1)
    order: list[str] = []

    async def take(name: str, rank: int) -> None:
        async with slots.hold(rank):
            order.append(name)

    async with slots.hold():
        tasks = [asyncio.create_task(take(*who)) for who in (("a", 2), ("b", 2), ("c", 1), ("d", 3))]
        await asyncio.sleep(0)
        assert order == []
    await asyncio.gather(*tasks)
    assert order == ["c", "a", "b", "d"]


async def test_a_waiter_that_leaves_takes_no_slot_along() -> None:
    slots = Slots(1)

    async def take() -> None:
        async with slots.hold():
            pass

    async with slots.hold():
        leaving = asyncio.create_task(take())
        staying = asyncio.create_task(take())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
    await staying
    # One that is cancelled in the moment its turn comes gives the turn on.
    async with slots.hold():
        leaving = asyncio.create_task(take())
        await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await take()


def test_no_slots_at_all() -> None:
    with pytest.raises(ValueError, match=r"^There must be at least one slot, not 0\.$"):
        Slots(0)
