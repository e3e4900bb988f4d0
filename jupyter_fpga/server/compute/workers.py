"""Operations on workers and chunks, and on the floor as a whole."""

from typing import Any

from jupyter_fpga.compute.actions.descriptors import read_worker
from jupyter_fpga.errors import Invalid
from jupyter_fpga.server.answers import Answer, Download, Json, Nothing
from jupyter_fpga.server.routes import Call

__all__ = (
    "chunk",
    "list_workers",
    "put_chunk",
    "ready",
    "register_named_worker",
    "register_worker",
    "show_worker",
    "start_recording",
    "stop_recording",
    "sysinfo",
    "take_chunks",
)


async def ready(call: Call) -> Answer:
    """Say whether actions can be run."""
    report = call.compute.ready()
    return Json(report, status=200 if report["ok"] else 503)


async def sysinfo(call: Call) -> Answer:
    """Show what the lab's machine has, how programs are walled in, and what is being run."""
    return Json(await call.compute.sysinfo(call.person))


async def start_recording(call: Call) -> Answer:
    """Record every action from now on, with its chunks. Operators only."""
    return Json(await call.compute.start_recording(call.person))


async def stop_recording(call: Call) -> Answer:
    """Stop recording; `jupyter fpga exec --replay` runs the folder again. Operators only."""
    return Json(await call.compute.stop_recording(call.person))


# --- Workers -------------------


async def list_workers(call: Call) -> Answer:
    """List all workers."""
    return Json(await call.compute.workers(call.person))


async def show_worker(call: Call) -> Answer:
    """Show a worker's descriptor."""
    return Json(await call.compute.worker(call.person, call.path["worker"]))


async def register_worker(call: Call) -> Answer:
    """Register a worker. Operators only.

    When chunks that it names aren't known the answer is 200 with their hashes, and nothing is registered: send them,
    and post again; or send all in one `multipart/mixed` package, the descriptor first.
    """
    await take_chunks(call)
    return _registered(await call.compute.register(call.person, call.body))


async def register_named_worker(call: Call) -> Answer:
    """Register the worker whose descriptor has this digest. Operators only.

    As `POST …/compute/workers`, and a descriptor with another digest is refused.
    """
    digest = read_worker(call.body).id
    if digest != call.path["worker"]:
        raise Invalid(
            f"The descriptor's digest is {digest}, and it was sent for {call.path['worker']}. Send it to its own "
            "address, or to …/compute/workers.",
            code="worker_mismatch",
            detail={"worker": digest},
        )
    return await register_worker(call)


def _registered(answer: dict[str, Any]) -> Answer:
    return Json(answer, status=200) if "needs" in answer else Json(answer)


# --- Chunks -------------------


async def take_chunks(call: Call) -> None:
    """Take in what came in the same package as the descriptor."""
    for hash, path in call.files:
        await call.compute.put_chunk(call.person, hash, path)


async def put_chunk(call: Call) -> Answer:
    """Send a chunk; it has to be what its hash says."""
    await take_chunks(call)
    return Nothing()


async def chunk(call: Call) -> Answer:
    """Get a chunk that one has sent, or that is an output of an action of one's own."""
    path, _ = await call.compute.chunk(call.person, call.path["hash"])
    return Download(path, call.path["hash"])
