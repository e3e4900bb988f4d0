"""Where a port's documentation is taken from."""

import ast

from jupyter_fpga.gateware.elaborate._docs import Mention, mentions, verilog_comment

TEXT = '''\
class Base:
    old: In(1)  # From the base.
    both: In(1)  # Not this one.


class Top(Base):
    """Not about any port."""

    # Above.
    a: In(1)
    b: In(8)  # Beside, with a # in it.
    c: In(
        8,  # Inside.
    )
    d: Out(1)
    """Below,

    in two paragraphs."""
    e: Out(1)
    both: In(1)  # This one.
    #: Sphinx's way.
    f: Out(1)

    # Not about g: there is a line between.

    g: Out(1)

    def __init__(self):
        super().__init__({
            "h": In(1),  # A member.
            # Above a member.
            "i": Out(1),
        })
        self.j = Signal(4)  # An attribute.
        self.k = Signal()
'''


def test_mentions():
    assert mentions(TEXT, ast.parse(TEXT), "Top") == {
        "a": Mention(10, "Above."),
        "b": Mention(11, "Beside, with a # in it."),
        "c": Mention(12, "Inside."),
        "d": Mention(15, "Below, in two paragraphs."),
        "e": Mention(19, ""),
        "both": Mention(20, "This one."),
        "f": Mention(22, "Sphinx's way."),
        "g": Mention(26, ""),
        "h": Mention(30, "A member."),
        "i": Mention(32, "Above a member."),
        "j": Mention(34, "An attribute."),
        "k": Mention(35, ""),
        "old": Mention(2, "From the base."),
    }


def test_class_that_is_not_there():
    assert mentions(TEXT, ast.parse(TEXT), "Other") == {}


def test_verilog_comment():
    assert verilog_comment("input [7:0] a, // The  first.") == "The first."
    assert verilog_comment("input [7:0] a,") == ""
