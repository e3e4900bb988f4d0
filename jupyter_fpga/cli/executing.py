"""``jupyter fpga exec``: an action from files, waited for; a recording run again."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from traitlets import Bool, Int, List, Unicode

from jupyter_fpga.client import Action
from jupyter_fpga.client.arguments import Reader, seconds
from jupyter_fpga.client.compute.lab import ComputeClient
from jupyter_fpga.client.compute.posting import Call
from jupyter_fpga.client.errors import Invalid, LabError

from .base import ALIASES, FLAGS, LAB_ALIASES, LabCommand, flag, merged
from .exits import FAILED, OK, program_exit
from .progress import show_action
from .settings import Read

__all__ = ("ExecApp",)

_FIELDS = ("function", "function_version", "inputs", "constants", "priority", "cache", "worker")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(text)
    return name, value


def _constant(text: str) -> tuple[str, Any]:
    name, value = _pair(text)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _lsn(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


_INPUT = Reader("NAME=PATH", _pair)
_CONSTANT = Reader("NAME=VALUE", _constant)
_LSN = Reader("the number of an action, which `jupyter fpga jobs --actions` lists", _lsn)


class ExecApp(LabCommand):
    """Have a worker compute FUNCTION of files and constants, and wait for it.

    The program's log goes to stdout, its outputs into the folder of --output, and its exit code is that of this command
    (128 and the signal's number for one that a signal ended, 1 for one that was stopped at a bound). Ctrl-C cancels the
    action. A result that is there already is given at once, unless with --no-cache.

    In place of FUNCTION, --action takes the whole action from a JSON file, --replay runs a recording again, --attach
    waits for an action that was detached, and --cancel ends one.
    """

    name = "jupyter-fpga exec"
    description = __doc__
    may_start = True
    positionals = ("[FUNCTION]",)
    instead = "Give a file as --input NAME=PATH and a value as --constant NAME=VALUE."
    aliases = merged(
        {
            **ALIASES,
            **LAB_ALIASES,
            **{
                name: f"ExecApp.{name}"
                for name in ("worker", "output", "queue", "priority", "timeout", "action", "replay", "attach", "cancel")
            },
            "input": "ExecApp.inputs",
            "constant": "ExecApp.constants",
            "function-version": "ExecApp.function_version",
        }
    )
    flags = merged(
        {
            **FLAGS,
            **flag("detach", "ExecApp.detach", "Say the action's number, and don't wait."),
            **flag("no-cache", "ExecApp.no_cache", "Compute it, even if the result is there already."),
        }
    )

    worker = Unicode(help="Name or id of who is to compute it; any that can when empty.").tag(config=True)
    inputs = List(Unicode(), help="NAME=PATH of a file; may be repeated.").tag(config=True)
    constants = List(Unicode(), help="NAME=VALUE, JSON or else text; may be repeated.").tag(config=True)
    output = Unicode(help="Folder for the outputs, created when missing; they stay in the lab when empty.").tag(
        config=True
    )
    queue = Unicode(help="Token or number of the queue that it belongs to.").tag(config=True)
    priority = Int(0, help="Higher is sooner; operators only.").tag(config=True)
    function_version = Unicode(help="Version of the function; the newest when empty.").tag(config=True)
    timeout = Read(seconds, help="Seconds after which to cancel and give up.").tag(config=True)
    action = Unicode(help="JSON file of a whole action (- for stdin); its inputs may be paths.").tag(config=True)
    replay = Unicode(help="Folder of a recording to run again.").tag(config=True)
    attach = Read(_LSN, help="Wait for this action of yours; Ctrl-C leaves it running.").tag(config=True)
    cancel = Read(_LSN, help="Cancel this action of yours.").tag(config=True)
    detach = Bool(False, help="Don't wait.").tag(config=True)
    no_cache = Bool(False, help="Compute it, even if the result is there already.").tag(config=True)

    def run(self, words: list[str]) -> None:
        if sum(map(bool, (words, self.action, self.replay, self.attach, self.cancel))) != 1:
            raise Invalid(
                "Say what to do with one of FUNCTION, --action FILE, --replay FOLDER, --attach NUMBER and --cancel "
                "NUMBER; jupyter fpga exec --help tells more.",
                code="usage",
            )
        compute = self.lab().compute
        if self.cancel:
            action = compute.job(self.cancel)
            action.cancel()
            self.show(action.record, f"Action {action.lsn} is cancelled.")
        elif self.replay:
            self._replay(compute)
        elif self.attach:
            self._finish(compute, compute.job(self.attach), mine=False)
        else:
            action = self._submit(compute, words)
            if self.detach:
                self.show(
                    {"lsn": action.lsn, "action": action.id},
                    f"Action {action.lsn} is taken; `jupyter fpga exec --attach {action.lsn}` waits for it.",
                )
            else:
                self._finish(compute, action, mine=True)

    def _submit(self, compute: ComputeClient, words: list[str]) -> Action:
        try:
            inputs = dict(map(_INPUT, self.inputs))
        except argparse.ArgumentTypeError as error:
            raise Invalid(f"--input {error}.", code="usage") from None
        try:
            constants = dict(map(_CONSTANT, self.constants))
        except argparse.ArgumentTypeError as error:
            raise Invalid(f"--constant {error}.", code="usage") from None
        told: Mapping[str, Any] = _whole_action(self.action) if self.action else {"function": words[0]}
        call = Call(
            told["function"],
            {**told.get("inputs", {}), **inputs},
            {**told.get("constants", {}), **constants},
            self.priority or told.get("priority", 0),
            not self.no_cache and told.get("cache") != "skip",
            self.function_version or told.get("function_version"),
        )
        worker = self.worker or told.get("worker") or None
        (answer,) = compute.submit_many([call], worker=worker, queue=self.queue or None)
        if isinstance(answer, LabError):
            raise answer
        return answer

    def _finish(self, compute: ComputeClient, action: Action, *, mine: bool) -> None:
        """Wait, show what came of it, and end with the program's exit code."""
        if not self.json:
            sys.stderr.write(f"action {action.lsn}: {action.record['function']}\n")
        show_action(compute, action, sys.stderr, timeout=self.timeout, quiet=self.json, cancel=mine)
        result = action.result()
        files = action.outputs.download(self.output) if self.output else {}
        if self.json:
            told = {name: str(path) for name, path in files.items()}
            self.show({**action.record, "files": told})
        else:
            sys.stdout.write(action.log)
            if result["value"] is not None:
                print(json.dumps(result["value"], ensure_ascii=False, indent=2))
            sys.stdout.flush()
            _tell_end(action, files, self.output)
        if not result["ok"]:
            raise SystemExit(program_exit(result))

    def _replay(self, compute: ComputeClient) -> None:
        queue = compute.create_queue()
        found = []
        try:
            for one in compute.replaying(self.replay, cache=False, queue=queue):
                found.append(one)
                if not self.json:
                    print(_replay_line(one), flush=True)
        except BaseException:
            # An interrupt, or a lab that went away: nobody wants the rest.
            queue.cancel()
            raise
        queue.drain()
        good = sum(one["ok"] for one in found)
        self.show(sorted(found, key=lambda one: one["number"]), f"{good} of {len(found)} actions went well.")
        raise SystemExit(OK if good == len(found) else FAILED)


def _whole_action(name: str) -> Mapping[str, Any]:
    """An action from a JSON file; paths in it are relative to the file."""
    try:
        told = json.loads(sys.stdin.read() if name == "-" else Path(name).read_bytes())
    except OSError as error:
        raise Invalid(f"The file “{name}” can't be read: {error.strerror}.", code="usage") from None
    except ValueError as error:
        raise Invalid(f"The file “{name}” is not JSON: {error}.", code="usage") from None
    if not isinstance(told, dict) or not isinstance(told.get("function"), str):
        raise Invalid(
            f"The file “{name}” is no action: it must be a JSON object with at least a “function”.", code="usage"
        )
    unknown = sorted(set(told) - set(_FIELDS))
    if unknown:
        raise Invalid(
            f"The file “{name}” has “{unknown[0]}”, which no action has; the fields are {', '.join(_FIELDS)}.",
            code="usage",
        )
    folder = Path("." if name == "-" else name).parent
    for part in ("inputs", "constants"):
        if not isinstance(told.get(part, {}), dict):
            raise Invalid(f"“{part}” in the file “{name}” must be a JSON object.", code="usage")
    inputs = told.get("inputs", {})
    return {**told, "inputs": {key: folder / path if isinstance(path, str) else path for key, path in inputs.items()}}


def _tell_end(action: Action, files: Mapping[str, Path], folder: str) -> None:
    result = action.record["result"]
    if files:
        sys.stderr.write(f"{folder}: {', '.join(sorted(files))}\n")
    elif result["outputs"]:
        listed = ", ".join(f"{name} ({file['size']:,} bytes)" for name, file in sorted(result["outputs"].items()))
        sys.stderr.write(
            f"It left {listed}; `jupyter fpga exec --attach {action.lsn} --output FOLDER` puts that into a folder.\n"
        )
    if not result["ok"]:
        error = result["error"] or {}
        sys.stderr.write(f"{error.get('message') or _ended(result['exit_code'])}\n")


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"The program was ended by signal {-code}."
    return f"The program ended with exit code {code}."


def _replay_line(one: Mapping[str, Any]) -> str:
    seconds = "" if one["seconds"] is None else f"{one['seconds']:.2f} s"
    state = "ok" if one["ok"] else "failed"
    return f"{one['number']:>6}  {one['function']:<20}  {state:<6}  {seconds:>9}  {one['why'] or ''}".rstrip()
