"""Puts answers on the wire."""

import asyncio
import json

from tornado import web

from jupyter_fpga.errors import NotFound

from .answers import Answer, Chunks, Download, Json, Nothing, Text

__all__ = ("send",)

_BLOCK = 256 * 1024
"""Bytes of a download that are in memory at a time."""


async def send(handler: web.RequestHandler, answer: Answer, status: int) -> None:
    """Answer ``handler``'s request.

    Parameters
    ----------
    status
        The route's own, for an answer that has none.
    """
    handler.set_status(answer.status or status)
    for name, value in answer.headers.items():
        handler.set_header(name, value)
    match answer:
        case Json(value):
            handler.set_header("Content-Type", "application/json")
            handler.finish(json.dumps(value))
        case Text(text, media_type):
            handler.set_header("Content-Type", media_type)
            handler.finish(text)
        case Nothing():
            handler.set_status(answer.status or 204)
            handler.finish()
        case Chunks():
            await _send_chunks(handler, answer)
        case Download():
            await _send_file(handler, answer)


async def _send_chunks(handler: web.RequestHandler, answer: Chunks) -> None:
    handler.set_header("Content-Type", answer.media_type)
    # Proxies that gather answers would hold back a log that is followed.
    handler.set_header("X-Accel-Buffering", "no")
    await handler.flush()  # so that the reader knows at once that there is such a job
    async for piece in answer.pieces:
        handler.write(piece)
        await handler.flush()
    handler.finish()


async def _send_file(handler: web.RequestHandler, answer: Download) -> None:
    try:
        opened = await asyncio.to_thread(open, answer.path, "rb")
    except FileNotFoundError as error:
        raise NotFound(
            f"“{answer.name}” was thrown away a moment ago, to make room. Have it made, or send it, again.",
            code="file_gone",
        ) from error
    with opened as file:
        size = await asyncio.to_thread(file.seek, 0, 2)
        await asyncio.to_thread(file.seek, 0)
        handler.set_header("Content-Type", answer.media_type)
        handler.set_header("Content-Length", str(size))
        name = "".join(c if c.isalnum() or c in "._-" else "_" for c in answer.name)
        handler.set_header("Content-Disposition", f'attachment; filename="{name}"')
        if handler.request.method != "HEAD":
            while block := await asyncio.to_thread(file.read, _BLOCK):
                handler.write(block)
                await handler.flush()
    handler.finish()
