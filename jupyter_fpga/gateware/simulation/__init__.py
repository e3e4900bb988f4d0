"""From a netlist to a board that is a process.

The SoC around the design is turned into C++ by Yosys' CXXRTL backend and compiled once (:mod:`.base`). A design is
synthesized to C++ of its own (:mod:`.synthesize`), compiled and linked with that (:mod:`.compile`). Each is a program
of its own, run in a sandbox, with files of fixed names in the current folder as inputs and outputs.

``harness/`` holds the part that people wrote: pins, serial lines, the bench, and board time.
"""
