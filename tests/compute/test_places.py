"""Numbers of a netlist's objects become lines of the person's text."""

from jupyter_fpga.compute.builds import places
from jupyter_fpga.compute.builds.design import Place, Source
from jupyter_fpga.compute.builds.places import line_of, sources_of
from jupyter_fpga.gateware import rtlil
from jupyter_fpga.gateware.rtlil import numbered_rtlil, numbers_in

NETLIST = r"""
attribute \generator "Amaranth"
attribute \src "design.py:3"
module \lab_window.top
  attribute \src "design.py:5"
  attribute \init 8'00000000
  wire width 8 \total
  wire width 8 $1
  wire width 8 $2
  attribute \src "design.py:9"
  cell $mul $3
    parameter \Y_WIDTH 8
    connect \A \total [7:0]
    connect \Y $1
  end
  attribute \src "design.py:5"
  process $4
    assign $2 [7:0] $1 [7:0]
    switch \rst [0]
      case 1'1
        assign $2 [7:0] 8'00000000
    end
  end
  attribute \src "design.py:5"
  cell $dff $5
    connect \D $2 [7:0]
    connect \Q \total
    connect \CLK \clk [0]
  end
  attribute \src "/etc/passwd:1"
  cell $not $6
    connect \Y $7
  end
end
"""
#: Numbers: the wires 0, 1, 2, the multiplication 3, the process 4, the register 5, and 6.
STEPS = [{"places": [5]}, {"places": [2, 3]}, {"leads_to": [5]}, {"leads_to": [6]}, {}, {"places": [99]}]
REPORT = {"clocks": {"sys": {"critical_path": STEPS}}}


def found(tmp_path, entry="design.py", files=("design.py",), netlist=NETLIST):
    path = tmp_path / "netlist.il"
    path.write_text(netlist)
    return sources_of(REPORT, path, Source(dict.fromkeys(files, b""), entry))


def test_a_step_has_the_line_of_what_it_is_or_what_is_computed_by_it(tmp_path):
    made, computed = Place("design.py", 5), Place("design.py", 9)
    assert found(tmp_path) == {"sys": [made, computed, computed, None, None, None]}
    assert line_of(found(tmp_path)) == computed


def test_the_entry_has_the_name_that_the_person_gave_it(tmp_path):
    assert found(tmp_path, "pwm.py", ("pwm.py",))["sys"][0] == Place("pwm.py", 5)
    # One that has another file of the fixed name keeps its own in the netlist.
    assert found(tmp_path, "pwm.py", ("pwm.py", "design.py"))["sys"][0] == Place("design.py", 5)


def test_a_register_that_is_set_in_several_lines_has_its_own(tmp_path):
    more = NETLIST.replace("      case 1'1\n", "      case 1'1\n        assign $2 [7:0] $8 [7:0]\n")
    more = more.replace(
        '  attribute \\src "/etc',
        '  attribute \\src "design.py:11"\n  cell $add $9\n    connect \\Y $8\n  end\n  attribute \\src "/etc',
    )
    assert found(tmp_path, netlist=more)["sys"][2] == Place("design.py", 5)


def test_where_nothing_is_known(tmp_path):
    assert sources_of(REPORT, None, Source({"design.py": b""}, "design.py")) == {"sys": [None] * 6}
    assert line_of({"sys": [None, None]}) is None


def test_numbers_are_those_of_the_text_without_places():
    """Equal netlists of texts with other lines are one result: it must not know them."""
    moved = NETLIST.replace("design.py:5", "design.py:50").replace("design.py:9", "somewhere.py:90")
    without = "".join(line for line in NETLIST.splitlines(keepends=True) if "\\src" not in line)
    texts = {"".join(numbered_rtlil(text.splitlines(keepends=True))) for text in (NETLIST, moved, without)}
    (text,) = texts
    assert places.OBJECT == rtlil.OBJECT
    assert text.count("lab:") == 7
    assert "design.py" not in text
    assert numbers_in("lab:4|/share/lab:7.v:3|lab:12") == [4, 12]
    assert numbers_in("lab_base.v:4|xlab:3") == []
