"""The compute service as a whole: ``queues``, ``workers``, ``sysinfo``, ``record``."""

from typing import Any

from traitlets import Bool, Float, Int, Unicode

from jupyter_fpga.client.compute.queues import Queue
from jupyter_fpga.client.errors import Invalid
from jupyter_fpga.client.tables import text_table

from .base import ALIASES, FLAGS, LAB_ALIASES, LabCommand, flag, merged

__all__ = ("QueuesApp", "RecordApp", "SysinfoApp", "WorkersApp")

_GIB = 1 << 30


class QueuesApp(LabCommand):
    """List your queues of actions, the newest first; all for an operator.

    --create makes one and says its token, which `jupyter fpga exec --queue` takes from anywhere; --drain lets one
    finish what it has and take no more, --cancel ends it with all that it has.
    """

    name = "jupyter-fpga queues"
    description = __doc__
    aliases = merged(
        {
            **ALIASES,
            **LAB_ALIASES,
            "drain": "QueuesApp.drain",
            "cancel": "QueuesApp.cancel",
            "max-retries": "QueuesApp.max_retries",
            "max-active": "QueuesApp.max_active",
            "ttl": "QueuesApp.ttl",
        }
    )
    flags = merged(
        {
            **FLAGS,
            **flag("create", "QueuesApp.create", "Make a queue."),
            **flag("local", "QueuesApp.local", "Name the new queue by a number: for this machine only."),
        }
    )

    create = Bool(False, help="Make a queue.").tag(config=True)
    local = Bool(False, help="Name the new queue by a number: it works only on the lab's own machine.").tag(config=True)
    drain = Unicode(help="Let this queue finish, and take no more.").tag(config=True)
    cancel = Unicode(help="End this queue with all that it has.").tag(config=True)
    max_retries = Int(3, min=0, max=100, help="How often the new queue tries what couldn't be run again.").tag(
        config=True
    )
    max_active = Int(None, allow_none=True, min=1, help="How many of its actions may run at once.").tag(config=True)
    ttl = Float(900.0, min=1, max=86_400, help="The new queue ends when it is idle for so long, s.").tag(config=True)

    def run(self, words: list[str]) -> None:
        if sum(map(bool, (self.create, self.drain, self.cancel))) > 1:
            raise Invalid("Give one of --create, --drain and --cancel.", code="usage")
        compute = self.lab().compute
        if self.create:
            queue = compute.create_queue(
                remote=not self.local, max_retries=self.max_retries, max_active=self.max_active, ttl_seconds=self.ttl
            )
            self.show(queue.info(), queue.name)
        elif self.drain:
            self._tell(compute.queue(self.drain), compute.queue(self.drain).drain())
        elif self.cancel:
            self._tell(compute.queue(self.cancel), compute.queue(self.cancel).cancel())
        else:
            self.show_table(compute.queues(), "You have no queues.")

    def _tell(self, queue: Queue, record: dict[str, Any]) -> None:
        counts = ", ".join(f"{record[name]} {name}" for name in ("active", "completed", "failed", "cancelled"))
        self.show(record, f"Queue {queue.name} is {record['state']}: {counts}.")


class WorkersApp(LabCommand):
    """List the workers, the oldest first, with the functions that they compute.

    --register offers another one, for operators: a JSON file with its name, its functions, and its programs and files
    by their paths. What the lab doesn't have is sent.
    """

    name = "jupyter-fpga workers"
    description = __doc__
    aliases = merged({**ALIASES, **LAB_ALIASES, "register": "WorkersApp.register"})

    register = Unicode(help="JSON file of a worker to register.").tag(config=True)

    def run(self, words: list[str]) -> None:
        compute = self.lab().compute
        if self.register:
            worker = compute.register(self.register)
            self.show({"worker": worker}, f"Worker {worker} is registered.")
        else:
            self.show_table(compute.workers(), "The lab has no workers.")


class SysinfoApp(LabCommand):
    """Show what the lab's machine has, how programs are walled in, who runs them, and what they are doing."""

    name = "jupyter-fpga sysinfo"
    description = __doc__

    def run(self, words: list[str]) -> None:
        info = self.lab().compute.sysinfo()
        self.show(info, text_table(["the lab's machine", ""], _rows(info)))


def _rows(info: dict[str, Any]) -> list[list[str]]:
    depths, runner = info["queue_depths"], info["runner"]
    waiting = depths["unfinished"] - depths["running"]
    runs = ", ".join(f"{run['function']} (action {run['lsn']})" for run in depths["runs"])
    functions: dict[str, list[str]] = {}
    for function in info["functions"]:
        functions.setdefault(f"{function['worker_name']} {function['worker'][:12]}", []).append(function["name"])
    return [
        ["system", f"{info['system']}, Python {info['python']}"],
        ["cores", f"{info['cores']}, load {', '.join(f'{load:.2f}' for load in info['load'])}"],
        ["memory", _of(info["memory"]["available"], info["memory"]["total"])],
        ["disk", _of(info["disk"]["free"], info["disk"]["total"])],
        ["sandbox", f"{info['sandbox']['tier']}: {info['sandbox']['reason']}"],
        ["runner", f"{runner['kind']}, {runner['capacity']} at once"],
        ["actions", f"{depths['running']} at work, {waiting} waiting{f'; {runs}' if runs else ''}"],
        *([f"functions of {worker}", ", ".join(sorted(names))] for worker, names in functions.items()),
    ]


def _of(free: int, total: int) -> str:
    return f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"


class RecordApp(LabCommand):
    """Record every action of the lab, with its contents, from `start` to `stop`; for operators.

    `jupyter fpga exec --replay FOLDER` runs the recording again. The folder is on the lab's machine.
    """

    name = "jupyter-fpga record"
    description = __doc__
    positionals = ("start|stop",)
    needs = "start or stop"

    def run(self, words: list[str]) -> None:
        if words[0] not in ("start", "stop"):
            raise self.misused(f"needs start or stop, and got “{words[0]}”")
        compute = self.lab().compute
        if words[0] == "start":
            told = compute.start_recording()
            self.show(told, f"Actions are recorded into {told['folder']} until `jupyter fpga record stop`.")
        else:
            told = compute.stop_recording()
            count = "1 action" if told["actions"] == 1 else f"{told['actions']} actions"
            self.show(told, f"{told['folder']} has {count}.")
