"""The routes of the compute floor, below ``/compute``."""

from typing import Any

from jupyter_fpga.server.routes import Route

from . import actions, queues, workers
from .models import (
    ActionAccepted,
    ActionBatch,
    ActionQuery,
    ActionRecord,
    ActionRequest,
    ActionsQuery,
    BatchAnswer,
    CompletedQuery,
    Needs,
    PriorityRequest,
    QueueCreated,
    QueueRecord,
    QueueRequest,
    Ready,
    Recording,
    RemoteQueueCreated,
    Rescheduled,
    SysInfo,
    WorkerCreated,
    WorkerRecord,
    WorkerRequest,
)
from .packages import DESCRIPTOR_LIMIT

__all__ = ("COMPUTE_ROUTES",)

_POST: dict[str, Any] = {
    "answer": ActionAccepted | BatchAnswer,
    "status": 202,
    "others": {200: Needs | BatchAnswer},
    "body": ActionRequest | ActionBatch,
    "checks": False,
    "package": True,
    "limit": DESCRIPTOR_LIMIT,
    "refusals": (403, 404, 409, 413, 415, 422, 429),
    "tag": "actions",
}
_RECORD: dict[str, Any] = {"answer": ActionRecord, "tag": "actions"}
_QUEUE: dict[str, Any] = {
    "body": QueueRequest,
    "checks": False,
    "optional": True,
    "limit": DESCRIPTOR_LIMIT,
    "status": 201,
    "refusals": (403, 413, 415, 422, 429),
    "tag": "queues",
}
_REGISTER: dict[str, Any] = {
    "answer": WorkerCreated,
    "status": 201,
    "others": {200: Needs},
    "body": WorkerRequest,
    "checks": False,
    "package": True,
    "limit": DESCRIPTOR_LIMIT,
    "refusals": (403, 413, 415, 422),
    "tag": "workers",
}


def _actions(prefix: str, variant: str = "") -> tuple[Route, ...]:
    """The routes that there are for all actions, and for those of one queue. Words go before parameters."""
    below = f"{prefix}/jobs"
    verbs = tuple(
        Route("POST", f"{below}/{{lsn}}/{verb}", run, refusals=(409, 422), variant=variant, **_RECORD)
        for verb, run in (("cancel", actions.cancel_action), ("retract", actions.retract_action))
    )
    return (
        Route("POST", below, actions.post_action, variant=variant, **_POST),
        Route(
            "GET",
            below,
            actions.list_actions,
            list[ActionRecord],
            query=ActionsQuery,
            refusals=(422,),
            tag="actions",
            variant=variant,
        ),
        *verbs,
        Route(
            "POST",
            f"{below}/{{lsn}}/priority",
            actions.set_action_priority,
            body=PriorityRequest,
            refusals=(409, 413, 415, 422),
            limit=DESCRIPTOR_LIMIT,
            variant=variant,
            **_RECORD,
        ),
        Route(
            "POST",
            f"{below}/{{lsn}}/reschedule",
            actions.reschedule_action,
            Rescheduled,
            refusals=(409, 422),
            tag="actions",
            variant=variant,
        ),
        Route(
            "GET",
            f"{below}/{{job}}",
            actions.show_action,
            ActionRecord | list[ActionRecord],
            others={202: ActionRecord},
            query=ActionQuery,
            refusals=(422,),
            tag="actions",
            variant=variant,
        ),
        Route("POST", f"{below}/{{job}}", actions.post_action_for_worker, variant=variant, **_POST_FOR_WORKER),
        Route(
            "DELETE",
            f"{below}/{{job}}",
            actions.retire_action,
            status=204,
            refusals=(405, 409, 422),
            tag="actions",
            variant=variant,
        ),
    )


_POST_FOR_WORKER = {**_POST, "refusals": (*_POST["refusals"], 405)}
_COMPLETED: dict[str, Any] = {
    "run": actions.completed_actions,
    "answer": list[ActionRecord],
    "query": CompletedQuery,
    "refusals": (422,),
    "tag": "actions",
}

COMPUTE_ROUTES: tuple[Route, ...] = (
    Route("GET", "/compute/ready", workers.ready, Ready, tag="watching", public=True),
    Route("GET", "/compute/sysinfo", workers.sysinfo, SysInfo, tag="watching"),
    Route("POST", "/compute/record/start", workers.start_recording, Recording, refusals=(403, 409), tag="watching"),
    Route("POST", "/compute/record/stop", workers.stop_recording, Recording, refusals=(403, 409), tag="watching"),
    Route("GET", "/compute/workers", workers.list_workers, list[WorkerRecord], tag="workers"),
    Route("POST", "/compute/workers", workers.register_worker, **_REGISTER),
    Route("GET", "/compute/workers/{worker}", workers.show_worker, WorkerRecord, tag="workers"),
    Route("POST", "/compute/workers/{worker}", workers.register_named_worker, **_REGISTER),
    Route(
        "GET",
        "/compute/chunks/{hash}",
        workers.chunk,
        media_type="application/octet-stream",
        refusals=(422,),
        tag="workers",
    ),
    Route("HEAD", "/compute/chunks/{hash}", workers.chunk, refusals=(422,), tag="workers", variant="_head"),
    Route(
        "PUT",
        "/compute/chunks/{hash}",
        workers.put_chunk,
        status=204,
        content=True,
        refusals=(413, 422),
        tag="workers",
    ),
    Route("GET", "/compute/jobs/completed", **_COMPLETED),
    *_actions("/compute"),
    Route(
        "GET",
        "/compute/jobs/{job}/{action}",
        actions.action_result,
        ActionRecord,
        others={202: ActionRecord},
        refusals=(422,),
        tag="actions",
    ),
    Route("POST", "/compute/queues", queues.create_queue, QueueCreated, **_QUEUE),
    Route("GET", "/compute/queues", queues.list_queues, list[QueueRecord], tag="queues"),
    Route("POST", "/compute/queues/remote", queues.create_remote_queue, RemoteQueueCreated, **_QUEUE),
    Route("GET", "/compute/queues/{queue}", queues.show_queue, QueueRecord, refusals=(403, 422), tag="queues"),
    Route("DELETE", "/compute/queues/{queue}", queues.delete_queue, QueueRecord, refusals=(403, 422), tag="queues"),
    Route(
        "POST",
        "/compute/queues/{queue}/drain",
        queues.drain_queue,
        QueueRecord,
        refusals=(403, 409, 422),
        tag="queues",
    ),
    Route("GET", "/compute/queues/{queue}/completed", variant="_of_queue", **_COMPLETED),
    *_actions("/compute/queues/{queue}", "_of_queue"),
)
