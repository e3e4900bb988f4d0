"""One event loop in a background thread, so that plain scripts and notebook cells can use an asyncio client.

Every operation of the client is written once, as a coroutine method whose name starts with ``a``, marked with
:func:`on_the_loop`; its plain twin is ``blocking(…)`` of it. Both run on the same background loop, so a person may mix
them freely, whatever loop the kernel itself runs.
"""

import asyncio
import concurrent.futures
import functools
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

__all__ = ("BackgroundLoop", "Following", "across", "blocking", "loop", "on_the_loop")

S = TypeVar("S")
T = TypeVar("T")
P = ParamSpec("P")


class BackgroundLoop:
    """An asyncio loop that runs in a daemon thread of its own, started when first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="jupyter-fpga-client", daemon=True).start()
            return self._loop

    def here(self) -> bool:
        """Whether the caller runs on this loop."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Start ``coroutine`` on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.get())

    def call(self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a coroutine function on the loop and wait for its result; an interrupt cancels it.

        It is called on the loop, too: a coroutine made here would be left over by an interrupt that came before the
        loop had it.

        Raises
        ------
        RuntimeError
            The caller runs on the loop itself, which would then wait for itself for ever.
        """
        if self.here():
            raise RuntimeError("Called from a coroutine of the client: await the twin whose name starts with “a”.")
        running = self.get()
        # Made before anything is begun, so that an interrupt always has what to cancel.
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            running.call_soon_threadsafe(_begin, running, functools.partial(function, *args, **kwargs), future)
            return future.result()
        except BaseException:
            # KeyboardInterrupt arrives here, in the waiting thread: nobody wants the answer any more.
            future.cancel()
            raise


def _begin(
    running: asyncio.AbstractEventLoop,
    function: Callable[[], Coroutine[Any, Any, T]],
    future: "concurrent.futures.Future[T]",
) -> None:
    """Run the coroutine of ``function`` for whoever waits for ``future``, until that is cancelled."""
    if future.cancelled():
        return

    async def called() -> T:
        # In here, so that whoever waits also gets what the call itself raises.
        return await function()

    task = running.create_task(called())

    def hand_over(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            future.cancel()
        if not future.set_running_or_notify_cancel():
            return
        if (error := task.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(task.result())

    def stop(future: "concurrent.futures.Future[T]") -> None:
        if future.cancelled():
            running.call_soon_threadsafe(task.cancel)

    task.add_done_callback(hand_over)
    future.add_done_callback(stop)


loop = BackgroundLoop()
"""The one loop of this process's clients."""


def on_the_loop(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make a coroutine method run on the client's loop, whatever loop it is awaited on."""

    @functools.wraps(method)
    async def awaitable(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        return await across(method(self, *args, **kwargs))

    return awaitable  # type: ignore[return-value]  # a method, so that "self" is always positional


def blocking(method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[S, P], T]:
    """The plain twin of a coroutine method: the same, but it waits for the answer."""

    @functools.wraps(method)
    def plain(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        return loop.call(method, self, *args, **kwargs)

    plain.__name__ = method.__name__.removeprefix("a")
    plain.__qualname__ = method.__qualname__.replace(method.__name__, plain.__name__)
    return plain  # type: ignore[return-value]  # as above


class Following(Generic[T]):
    """Items that arrive over time: ``for item in …`` waits for each in a plain script, ``async for`` anywhere else."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source
        self._stepping: asyncio.Task[Any] | None = None

    async def _step(self) -> tuple[bool, T | None]:
        self._stepping = asyncio.current_task()
        try:
            return True, await anext(self._source)
        except StopAsyncIteration:
            return False, None
        finally:
            self._stepping = None

    async def _aclose(self) -> None:
        if self._stepping is not None:
            # An interrupt has cancelled it, and it takes a moment to end.
            await asyncio.wait([self._stepping])
        if isinstance(self._source, AsyncGenerator):
            await self._source.aclose()

    def __iter__(self) -> Iterator[T]:
        try:
            while True:
                more, item = loop.call(self._step)
                if not more:
                    return
                yield item  # type: ignore[misc]
        finally:
            # The loop's thread is gone when the process ends while somebody still holds a half-read iterator.
            if not sys.is_finalizing():
                loop.call(self._aclose)

    async def __aiter__(self) -> AsyncIterator[T]:
        try:
            while True:
                more, item = await across(self._step())
                if not more:
                    return
                yield item  # type: ignore[misc]
        finally:
            await across(self._aclose())


async def across(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine that belongs on the client's loop, from any loop."""
    return await (coroutine if loop.here() else asyncio.wrap_future(loop.submit(coroutine)))
