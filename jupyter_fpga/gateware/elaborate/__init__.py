"""From a person's text to a netlist: finds the design's top, wraps it, and says what it has.

The step runs with a work folder as its current one: ``request.json`` and ``source/`` in it, and the results beside them
(:func:`run`). Only what the design itself is written in is imported: a design in Amaranth never waits for LiteX.

Errors that a design can make, by code
--------------------------------------
``syntax_error`` ``elaboration_failed`` ``import_error`` ``not_utf8``
    The text can't be read, or raises an exception while it is run.
``no_top`` ``several_tops`` ``top_not_found`` ``top_unfit``
    What the design's top is, isn't clear, or it fits none of the forms.
``unknown_param`` ``missing_param`` ``bad_param``
    A parameter without a place, a place without a parameter, or a value of the wrong kind.
``resource_mismatch`` ``pin_clash`` ``unknown_resource`` ``no_platform``
    Pins.
``name_clash`` ``empty_port`` ``bad_wishbone`` ``window_full`` ``not_supported``
    Registers and buses.
``undriven_output`` ``multiple_drivers`` ``combinational_loop``
    The netlist is no circuit.
``undeclared_domain`` ``no_clock`` ``derived_clock`` ``clock_domain``
    Clocks.
``unknown_module`` ``bad_name`` ``bad_entry`` ``unknown_target`` ``unsupported_target`` ``bad_clock`` ``bad_soc``
    The request and its files, and what a whole SoC must leave as it is.
"""

from ._step import run

__all__ = ("run",)
