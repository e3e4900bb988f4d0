"""csr.json and csr.csv of a design in the window, as LiteX's own unmodified tools read them."""

import gc
import json
import warnings

import pytest

DESIGN = """\
from amaranth.lib.wiring import Signature

Bus = Signature({
    "adr": Out(4), "dat_w": Out(32), "dat_r": In(32), "sel": Out(4),
    "cyc": Out(1), "stb": Out(1), "we": Out(1), "ack": In(1),
})

class Top(wiring.Component):
    duty: In(8)
    count: Out(40, init=1)
    taps: In(3).array(2)
    bus: In(Bus)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.bus.ack.eq(self.bus.cyc), self.bus.dat_r.eq(1)]
        return m
"""


def test_csr_json(elaborate):
    result = elaborate(DESIGN)
    assert json.loads((result.folder / "csr.json").read_text()) == {
        "csr_bases": {"ctrl": 0xF000_0000, "identifier_mem": 0xF000_0800, "window": 0x3000_0000},
        "csr_registers": {
            "ctrl_reset": {"addr": 0xF000_0000, "size": 1, "type": "rw"},
            "ctrl_scratch": {"addr": 0xF000_0004, "size": 1, "type": "rw"},
            "ctrl_bus_errors": {"addr": 0xF000_0008, "size": 1, "type": "ro"},
            "ctrl_cycles": {"addr": 0xF000_000C, "size": 2, "type": "ro"},
            "ctrl_overflow": {"addr": 0xF000_0014, "size": 1, "type": "rw"},
            "window_duty": {"addr": 0x3000_0000, "size": 1, "type": "rw"},
            "window_count": {"addr": 0x3000_0004, "size": 2, "type": "ro"},
            "window_taps_0": {"addr": 0x3000_000C, "size": 1, "type": "rw"},
            "window_taps_1": {"addr": 0x3000_0010, "size": 1, "type": "rw"},
        },
        "constants": {
            "config_clock_frequency": 12_000_000,
            "config_csr_data_width": 32,
            "config_csr_alignment": 32,
            "config_bus_standard": "wishbone",
            "config_bus_data_width": 32,
            "config_bus_address_width": 32,
            "config_bus_bursting": 0,
        },
        "memories": {
            "csr": {"base": 0xF000_0000, "size": 0x1_0000, "type": "io"},
            "window_bus": {"base": 0x3000_0040, "size": 64, "type": "io"},
        },
    }


@pytest.fixture
def client(elaborate, monkeypatch, tmp_path):
    """LiteX's RemoteClient on a wire that remembers: nothing of LiteX is changed but where bytes go."""
    result = elaborate(DESIGN)
    monkeypatch.chdir(tmp_path)
    from litex.tools.litex_client import RemoteClient

    class Client(RemoteClient):
        memory: dict[int, int]

        def read(self, addr, length=None, burst="incr"):
            words = [self.memory.get(addr + 4 * index, 0) for index in range(length or 1)]
            return words[0] if length is None else words

        def write(self, addr, datas):
            for index, word in enumerate(datas if isinstance(datas, list) else [datas]):
                self.memory[addr + 4 * index] = word

    with warnings.catch_warnings():
        # CSRBuilder leaves the file open.
        warnings.simplefilter("ignore", ResourceWarning)
        client = Client(csr_csv=str(result.folder / "csr.csv"))
        gc.collect()
    client.memory = {}
    return client


def test_litex_client_knows_the_registers(client):
    client.regs.window_duty.write(40)
    assert client.memory == {0x3000_0000: 40}
    client.memory.update({0x3000_0004: 0x12, 0x3000_0008: 0x3456_789A})
    assert client.regs.window_count.read() == 0x12_3456_789A
    assert client.regs.ctrl_scratch.addr == 0xF000_0004
    with pytest.raises(KeyError, match="not writable"):
        client.regs.window_count.write(1)


def test_litex_client_knows_the_rest(client):
    assert client.bases.identifier_mem == 0xF000_0800
    assert client.mems.window_bus.base == 0x3000_0040
    assert client.mems.window_bus.size == 64
    assert client.constants.config_clock_frequency == 12_000_000
    assert (client.csr_data_width, client.csr_bus_address_width) == (32, 32)


def test_no_dates(elaborate):
    first, second = elaborate(DESIGN), elaborate(DESIGN)
    for name in ("csr.json", "csr.csv"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    assert (
        (first.folder / "csr.csv").read_text().startswith("# Written by jupyter_fpga in LiteX's format.\ncsr_base,ctrl")
    )
