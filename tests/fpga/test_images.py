"""Which builds must stay on disk."""

import asyncio
import hashlib
from typing import Any

from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.fpga.config import SubmitOptions
from jupyter_fpga.fpga.images import images_needed


def digest_of(text: str) -> str:
    """The digest that the test's builds give a design."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def test_the_image_of_a_job_that_waits_for_a_board_is_needed_until_the_job_ends(
    make_lab: Any, people: Any
) -> None:
    ann, ben, _ = people
    lab = await make_lab(boards=1).start()
    await lab.all_idle()
    assert await lab.store.read(images_needed) == {"base"}
    await lab.submit(ann, text="class Top: first")
    await lab.state(0, "reserved")
    waiting = (await lab.submit(ben, text="class Top: second"))["job_id"]
    await lab.stage(waiting, "waiting_for_board")
    on_board = digest_of("class Top: first")
    assert await lab.store.read(images_needed) == {on_board, digest_of("class Top: second")}
    await lab.fpga.cancel(ben, waiting)
    assert await lab.store.read(images_needed) == {on_board}
    await lab.stop()


async def test_the_image_that_is_being_programmed_is_needed(lab: Any) -> None:
    lab.driver.hold = asyncio.Event()
    answer = await lab.submit(text="class Top: ...", fpga_id=0)
    await lab.driver.holding.wait()
    assert digest_of("class Top: ...") in await lab.store.read(images_needed)
    lab.driver.hold.set()
    assert (await lab.ended(answer["job_id"]))["status"] == "complete"
    assert await lab.store.read(images_needed) == {"base", digest_of("class Top: ...")}


async def test_the_image_of_a_build_without_a_board_is_not_needed_once_it_is_done(lab: Any, people: Any) -> None:
    ann, _, _ = people
    answer = await lab.fpga.build(ann, Source({"design.py": b"class Top: ..."}, "design.py"), SubmitOptions())
    assert (await lab.ended(answer["job_id"]))["status"] == "complete"
    assert await lab.store.read(images_needed) == {"base"}
