"""A design and its testbenches in Amaranth's simulator.

The step runs with a work folder as its current one: ``request.json`` and ``source/`` in it, and ``simulation.json``
beside them afterwards (:func:`run`), also when a testbench fails: then with everything up to there.

A testbench is a coroutine function of the entry file that is called ``testbench``, ``bench`` or ``tb``, or so with more
words (``testbench_reset``, ``write_bench``). It takes the simulator's context, and the design if it wants that as its
second argument; the design is also the global name ``dut``, unless the file gives that name to something else.
Functions called ``process`` or so are processes: they stand for circuits, and go on for as long as a testbench does
(https://amaranth-lang.org/docs/amaranth/v0.5/simulator.html). All run at the same time.

Errors that only a simulation has, by code
------------------------------------------
``testbench_failed``
    An assertion of a testbench fails, or it raises another exception.
``bad_testbench``
    A function has a testbench's name and isn't one, or none has.
``simulation_too_long`` ``simulation_too_large``
    The testbenches don't end, or more changes are recorded than a waveform may have.
``not_simulatable``
    The design isn't Amaranth's, or has parts that aren't.
"""

from ._step import run

__all__ = ("run",)
