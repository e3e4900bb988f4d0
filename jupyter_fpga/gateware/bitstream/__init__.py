"""From an iCE40's bitstream back to a board that is a process: what would be flashed is what runs.

The bitstream becomes a netlist of look-up tables, flip-flops and block RAMs (:mod:`._chip`), whose logic is sorted into
clusters (:mod:`._clusters`) and written as C++ (:mod:`._program`) that evaluates only what has changed.
"""
