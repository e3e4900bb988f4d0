from jupyter_fpga.errors import Conflict, LabError


def test_envelope_carries_code_message_and_detail():
    error = Conflict("Board 3 is not idle: release it, or choose another.", code="fpga_not_idle", detail={"fpga_id": 3})
    assert isinstance(error, LabError)
    assert error.as_dict() == {
        "error": "fpga_not_idle",
        "message": "Board 3 is not idle: release it, or choose another.",
        "detail": {"fpga_id": 3},
    }


def test_code_defaults_to_the_kind():
    assert Conflict("No.").code == "conflict"
