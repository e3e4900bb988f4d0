"""Values that a person gives their design from outside."""

SIZED = """\
DEPTH = 4
NAMES: list = ["a", "b"]
RATE = 1.5

class Top(wiring.Component):
    def __init__(self, width=8, *, step: int = 1):
        super().__init__({"x": In(width), "y": Out(DEPTH, init=step), "z": In(len(NAMES)), "r": In(int(RATE * 2))})

    def elaborate(self, platform):
        return Module()
"""


def widths(result):
    return {register.name: register.width for register in result.manifest.registers}


def test_defaults(elaborate):
    assert widths(elaborate(SIZED)) == {"x": 8, "y": 4, "z": 2, "r": 3}


def test_constructor_arguments_and_constants(elaborate):
    params = {"width": 5, "step": 3, "DEPTH": 6, "NAMES": ["p", "q", "r"], "RATE": 2.5}
    result = elaborate(SIZED, params=params)
    assert widths(result) == {"x": 5, "y": 6, "z": 3, "r": 5}
    assert result.register("y").reset == 3
    assert result.manifest.parameters == params


def test_text_is_read_as_the_kind_of_value_that_it_replaces(elaborate):
    assert widths(elaborate(SIZED, params={"width": "0x10", "DEPTH": "7", "RATE": "4"})) == {
        "x": 16,
        "y": 7,
        "z": 2,
        "r": 8,
    }


def test_text_that_is_no_number(elaborate):
    error = elaborate(SIZED, params={"DEPTH": "deep"}).error
    assert error["code"] == "bad_param"
    assert error["message"] == (
        "The parameter DEPTH is a whole number in the design (it is 4 there), and 'deep' isn't."
    )


def test_unknown(elaborate):
    error = elaborate(SIZED, params={"widht": 5}).error
    assert error["code"] == "unknown_param"
    assert error["message"] == "The design has no parameter 'widht'; it has width, step, DEPTH and RATE."


def test_a_component_without_a_constructor_has_none(elaborate):
    text = (
        "class Top(wiring.Component):\n    y: Out(1)\n\n    def elaborate(self, platform):\n        return Module()\n"
    )
    error = elaborate(text, params={"depth": 3}).error
    assert error["message"] == "The design has no parameter 'depth'; it has none."


def test_missing(elaborate):
    error = elaborate(SIZED.replace("width=8", "width")).error
    assert error["code"] == "missing_param"
    assert error["message"] == (
        "Top needs width to be made; give it a default in __init__, or a value with --param width=…."
    )


def test_an_object_has_no_parameters_but_constants(elaborate):
    text = SIZED.replace("class Top", "class Sized") + "\ntop = Sized()\n"
    assert widths(elaborate(text, params={"DEPTH": 2}))["y"] == 2
    error = elaborate(text, params={"width": 2}).error
    assert error["message"] == "The design has no parameter 'width'; it has DEPTH and RATE."


def test_line_numbers_stay_when_a_constant_is_replaced(elaborate):
    text = "A = 1\nB = (\n  2\n)\nraise ValueError(A + B)\n"
    error = elaborate(text, params={"B": 10}).error
    assert (error["line"], error["message"]) == (5, "ValueError: 11.")
