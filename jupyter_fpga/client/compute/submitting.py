"""What can be done in a lab's compute floor as a whole and in a queue alike: submit actions, and follow their ends."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import Invalid, LabError
from jupyter_fpga.client.loop import Following, blocking, on_the_loop

from .actions import Action
from .contents import Given
from .following import ActionWatcher
from .posting import Call, Posting, post_many, post_until_taken
from .workers import find_function, find_worker

__all__ = ("Submitter", "queue_path")

#: Of all actions, whatever their queue.
_COMPLETED = "compute/jobs/completed"


def queue_path(queue: "Submitter | str | int") -> str:
    """Where a queue is below the lab's address."""
    return queue.base if isinstance(queue, Submitter) else f"compute/queues/{quote(str(queue), safe='')}"


class Submitter:
    """A place to submit actions to.

    Parameters
    ----------
    door, watcher
        Of the client.
    base
        Where it is below the lab's address.
    """

    #: Of the list of what has ended here.
    completed_path = _COMPLETED

    def __init__(self, door: Door, watcher: ActionWatcher, base: str) -> None:
        self.door = door
        self.base = base
        self._watcher = watcher

    @on_the_loop
    async def asubmit(
        self,
        function: str,
        inputs: Mapping[str, Given] | None = None,
        constants: Mapping[str, Any] | None = None,
        *,
        worker: str | None = None,
        queue: "Submitter | str | int | None" = None,
        priority: int = 0,
        cache: bool = True,
        version: str | None = None,
    ) -> Action:
        """Have a function computed. Contents that the lab has already aren't sent.

        Parameters
        ----------
        function
            Its name; :meth:`workers` lists who has which.
        inputs
            By name: bytes, the path of a file, which is read a block at a time, or an output of another action.
        constants
            Values that JSON can carry.
        worker
            Name or id of who is to compute it; any that can without.
        queue
            The queue that it belongs to: an object, a token or a number.
        priority
            Higher is sooner; operators only.
        cache
            Whether a result that is there already will do.
        version
            Of the function; the newest that the lab knows without.

        Raises
        ------
        Invalid
            ``function_unknown``, ``action_rejected``, ``input_unreadable``, ``input_changed`` …
        NotFound
            ``worker_not_found``, ``queue_not_found``.
        """
        call = Call(function, inputs or {}, constants or {}, priority, cache, version)
        path, postings = await self._postings([call], worker, queue)
        answer = await post_until_taken(self.door, path, postings[0].body, postings[0].contents)
        return self._action({**postings[0].body, **answer})

    @on_the_loop
    async def asubmit_many(
        self, calls: Iterable[Call], *, worker: str | None = None, queue: "Submitter | str | int | None" = None
    ) -> list[Action | LabError]:
        """Have many functions computed, a thousand with each request.

        Returns
        -------
        list
            For each call its action, or the error that it is refused with; the others are taken all the same.
        """
        path, postings = await self._postings(list(calls), worker, queue)
        return [
            answer if isinstance(answer, LabError) else self._action({**posting.body, **answer})
            for posting, answer in zip(postings, await post_many(self.door, path, postings), strict=True)
        ]

    @on_the_loop
    async def amap(
        self,
        function: str,
        inputs: Iterable[Mapping[str, Given]] | None = None,
        constants: Iterable[Mapping[str, Any]] | None = None,
        *,
        worker: str | None = None,
        queue: "Submitter | str | int | None" = None,
        priority: int = 0,
        cache: bool = True,
        version: str | None = None,
    ) -> list[Action]:
        """Have a function computed for each of many inputs, or constants, or pairs of both; see :meth:`asubmit`.

        Raises
        ------
        Invalid
            ``usage``: as many inputs as constants are needed when both are given.
        LabError
            What the first call that isn't taken is refused with; those that were taken are cancelled.
        """
        given, fixed = (None if some is None else list(some) for some in (inputs, constants))
        if given is not None and fixed is not None and len(given) != len(fixed):
            raise Invalid(f"map(…) takes as many inputs as constants; got {len(given)} and {len(fixed)}.", code="usage")
        pairs = zip(
            given if given is not None else [{}] * len(fixed or ()),
            fixed if fixed is not None else [{}] * len(given or ()),
            strict=True,
        )
        calls = [Call(function, named, values, priority, cache, version) for named, values in pairs]
        answers = await self.asubmit_many(calls, worker=worker, queue=queue)
        refusal = next((answer for answer in answers if isinstance(answer, LabError)), None)
        if refusal is None:
            return [answer for answer in answers if isinstance(answer, Action)]
        for answer in answers:
            if isinstance(answer, Action):
                await _cancel_if_possible(answer)
        raise refusal

    async def _postings(
        self, calls: Sequence[Call], worker: str | None, queue: "Submitter | str | int | None"
    ) -> tuple[str, list[Posting]]:
        """Where to post calls, and what."""
        base = self.base if queue is None else queue_path(queue)
        workers: list[dict[str, Any]] = []
        if worker is not None or any(call.version is None for call in calls):
            workers = await self.door.get("compute/workers")
        chosen = None if worker is None else find_worker(workers, worker)
        postings = []
        for call in calls:
            version = call.version or find_function(workers, call.function, chosen)[0]
            postings.append(await Posting.of(call, version))
        return f"{base}/jobs" if chosen is None else f"{base}/jobs/{chosen}", postings

    def _action(self, record: Mapping[str, Any]) -> Action:
        return Action(self.door, self._watcher, record)

    def as_completed(self, actions: Iterable[Action]) -> Following[Action]:
        """One's own actions in the order in which they end. One that is retired meanwhile is waited for in vain."""
        return Following(self._as_completed({action.lsn: action for action in actions}))

    aas_completed = as_completed

    async def _as_completed(self, actions: dict[int, Action]) -> AsyncIterator[Action]:
        if not actions:
            return
        # Nothing ends before it was taken.
        async for record in self._watcher.completions(_COMPLETED, min(actions) - 1):
            action = actions.pop(record["lsn"], None)
            if action is not None:
                action.record = record
                yield action
            if not actions:
                return

    def completed(self, after: int = 0) -> Following[Action]:
        """One's own actions in the order in which they end.

        In a queue until that is complete or cancelled, else without end.

        Parameters
        ----------
        after
            Only those that ended after the one with this ``done_lsn``, which is in each action's record.
        """
        return Following(self._completions(after))

    acompleted = completed

    async def _completions(self, after: int) -> AsyncIterator[Action]:
        async for record in self._watcher.completions(self.completed_path, after, self._is_over):
            yield self._action(record)

    async def _is_over(self) -> bool:
        """Whether nothing more will end here."""
        return False

    submit = blocking(asubmit)
    submit_many = blocking(asubmit_many)
    map = blocking(amap)


async def _cancel_if_possible(action: Action) -> None:
    try:
        await action.acancel()
    except LabError as error:
        if error.code != "job_not_cancellable":
            raise
