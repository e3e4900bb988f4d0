"""From a netlist to a bitstream: Yosys, nextpnr and the packers of iCE40, ECP5 and Gowin devices.

The lab's own SoC is synthesized once for each target and clock (step ``base``), with a hole in the place of the design;
a design is synthesized by itself and put into that hole (``synthesize``), placed and routed as a whole (``place``), and
packed (``pack``).
"""
