"""nextpnr, begun before its design is there.

Before nextpnr looks at its ``--json`` it reads the device's data base, and before that it is itself loaded: together
half a second of the five or six that the lab's SoC takes. So a warm sandbox begins nextpnr for a target with the
arguments that most builds give, and holds it where it opens that file; the step ``place`` lets go of it once the file
is there, or does without it if its own arguments are others. It is the wheel's WebAssembly that can be held so, with a
host function of our own in the place of WASI's ``path_open``
(https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md).
"""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ("DESIGN", "LOOK_SECONDS", "Begun", "Thread", "begin", "taken")

#: The file that the design is in.
DESIGN = "design.json"

#: A program that runs in this process can't be waited for together with its log: that is looked at so often.
LOOK_SECONDS = 0.5

_GIVEN_UP = 1
"""Exit code of a program that was given up."""

_PASS_ON = """
(module
  (import "wasi_snapshot_preview1" "path_open" (func $open
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "program" "memory" (memory 0))
  (export "memory" (memory 0))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
    local.get 0 local.get 1 local.get 2 local.get 3 local.get 4
    local.get 5 local.get 6 local.get 7 local.get 8
    call $open))
"""
"""WASI's functions work on the memory of who calls them, which a host function hasn't: this module lends it."""


class Thread:
    """A program that runs beside this thread, and is left alone where it is hopeless: it ends with the process.

    Parameters
    ----------
    program
        Gives its exit code.
    """

    def __init__(self, program: Callable[[], int]) -> None:
        self._program = program
        self._code = 0
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def wait(self, give_up: Callable[[], bool]) -> int:
        """Its exit code, when it has ended or ``give_up`` says so."""
        while self._thread.is_alive():
            self._thread.join(LOOK_SECONDS)
            if self._thread.is_alive() and give_up():
                return _GIVEN_UP
        if self._error is not None:
            raise self._error
        return self._code

    def _main(self) -> None:
        try:
            self._code = self._program()
        except BaseException as error:  # it is the waiting thread's
            self._error = error


class Begun:
    """A WebAssembly program that runs until it opens :data:`DESIGN`, and goes on when it is told to.

    Parameters
    ----------
    package, wasm
        The wheel's package, and its program there.
    arguments
        With the program's name as the first. Files are relative to the current folder.
    """

    def __init__(self, package: str, wasm: str, arguments: Sequence[str]) -> None:
        self.arguments = tuple(arguments)
        self._package = package
        self._wasm = wasm
        self._there = threading.Event()
        self._go = threading.Event()
        self._thread = Thread(self._main)

    def wait_until_held(self) -> None:
        """Return when it has come to its design, or has ended before."""
        self._there.wait()

    def go_on(self, give_up: Callable[[], bool]) -> int:
        """Let it open its design; its exit code, when it has ended or ``give_up`` says so."""
        self._go.set()
        return self._thread.wait(give_up)

    def _main(self) -> int:
        import wasmtime

        try:
            self._run()
        except wasmtime.ExitTrap as end:
            return int(end.code)
        finally:
            self._there.set()
        return 0

    def _run(self) -> None:
        import wasmtime

        settings = wasmtime.Config()
        settings.wasm_exceptions = True
        engine = wasmtime.Engine(settings)
        store = wasmtime.Store(engine)
        store.set_wasi(self._outside())
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        linker.allow_shadowing = True
        i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
        kind = wasmtime.FuncType([i32, i32, i32, i32, i32, i64, i64, i32, i32], [i32])
        linker.define(
            store,
            "wasi_snapshot_preview1",
            "path_open",
            wasmtime.Func(store, kind, lambda caller, *words: self._open(caller, words), access_caller=True),
        )
        program = linker.instantiate(store, self._module(engine))
        exports = program.exports(store)
        lender = wasmtime.Linker(engine)
        lender.define_wasi()
        lender.define(store, "program", "memory", exports["memory"])
        pass_on = lender.instantiate(store, wasmtime.Module(engine, _PASS_ON))
        self._pass_on: Any = pass_on.exports(store)["path_open"]
        start: Any = exports["_start"]
        start(store)

    def _open(self, caller: Any, words: tuple[int, ...]) -> int:
        path, length = words[2], words[3]
        if bytes(caller["memory"].read(caller, path, path + length)) == DESIGN.encode():
            self._there.set()
            self._go.wait()
        return int(self._pass_on(caller, *words))

    def _outside(self) -> Any:
        """What the program sees of the machine: the current folder, its own data, a folder for what is temporary."""
        import wasmtime

        outside = wasmtime.WasiConfig()
        outside.argv = self.arguments
        outside.stdout_file = os.devnull
        outside.stderr_file = os.devnull
        outside.preopen_dir(".", ".")
        outside.preopen_dir(str(resources.files(self._package) / "share"), "/share")
        outside.preopen_dir(tempfile.mkdtemp(), "/tmp")
        return outside

    def _module(self, engine: Any) -> Any:
        """The program, from where the wheel's own runtime keeps it compiled."""
        import wasmtime

        digest = hashlib.sha1((resources.files(self._package) / self._wasm).read_bytes()).hexdigest()
        cache = Path(os.environ["YOWASP_CACHE_DIR"])
        return wasmtime.Module.deserialize_file(engine, str(cache / self._package / self._wasm / digest))


_begun: list[Begun] = []


def begin(package: str, wasm: str, arguments: Sequence[str]) -> None:
    """Begin a program; returns when it is held."""
    begun = Begun(package, wasm, arguments)
    begun.wait_until_held()
    _begun.append(begun)


def taken(arguments: Sequence[str]) -> Begun | None:
    """The program that was begun with just these arguments, if any was; it is the caller's to let go."""
    for begun in _begun:
        if begun.arguments == tuple(arguments):
            _begun.remove(begun)
            return begun
    return None
