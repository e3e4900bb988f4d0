"""What LiteX's tools may do to a board's bus."""

import pytest

from jupyter_fpga.errors import Invalid
from jupyter_fpga.etherbone import Packet
from jupyter_fpga.fpga.etherbone.access import Access
from jupyter_fpga.fpga.wishbone import Operation
from jupyter_fpga.gateware.manifest import Manifest, Window
from jupyter_fpga.gateware.targets import SIMULATED

CONTROL = SIMULATED.control
MANIFEST = Manifest(
    target="simulated",
    form="amaranth_component",
    top="Top",
    clock_hz=12_000_000,
    baud=1_000_000,
    fifo_depth=2048,
    window=Window(0x3000_0000, 0x40),
    control=CONTROL,
)
RESET = 0xF000_0000
NOTHING = "Nothing was sent to the board: "


def operations(packet: Packet, manifest: Manifest = MANIFEST) -> list[Operation]:
    return Access(manifest).operations(packet)


def test_writes_come_first_and_reads_are_joined():
    base = MANIFEST.window.base
    addresses = (base, base + 4, base + 8, base + 8, base + 8, base + 4, base, CONTROL.scratch, CONTROL.bus_errors)
    assert operations(Packet(base + 4, (1, 2), addresses)) == [
        Operation.write(base + 4, (1, 2)),
        Operation.read(base, 3),
        Operation.read(base + 8, 2, fixed=True),
        Operation.read(base + 4),
        Operation.read(base),
        Operation.read(CONTROL.scratch, 2),
    ]
    assert operations(Packet(reads=(base + 8,) * 255)) == [Operation.read(base + 8, 255, fixed=True)]
    assert operations(Packet(reads=(base + 8,))) == [Operation.read(base + 8)]
    assert operations(Packet()) == []


@pytest.mark.parametrize("form", ["amaranth_component", "litex_soc"])
def test_the_labs_own_registers_are_read_and_scratch_is_written(form):
    manifest = MANIFEST.replace(form=form)
    for address in (RESET, CONTROL.scratch, CONTROL.bus_errors, CONTROL.cycles, CONTROL.overflow, CONTROL.identifier):
        assert operations(Packet(reads=(address,)), manifest) == [Operation.read(address)]
    assert operations(Packet(CONTROL.scratch, (0xFFFF_FFFF,)), manifest) == [
        Operation.write(CONTROL.scratch, (0xFFFF_FFFF,))
    ]
    # The CPU of a SoC is its owner's.
    for word in (0, 2):
        assert operations(Packet(RESET, (word, 5)), manifest) == [Operation.write(RESET, (word, 5))]


KEPT = "can't be written so: it belongs to the lab's link to the board."


@pytest.mark.parametrize("form", ["amaranth_component", "litex_soc"])
@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (
            Packet(RESET, (1,)),
            "the register at 0xf0000000 can't be written so: 0x1 would restart the whole SoC, and the lab's link with "
            "it; program the design again.",
        ),
        (
            Packet(RESET, (0xFFFF_FFFF,)),
            "the register at 0xf0000000 can't be written so: 0xffffffff would restart the whole SoC, and the lab's "
            "link with it; program the design again.",
        ),
        (Packet(CONTROL.scratch, (1, 1)), f"the register at 0xf0000008 {KEPT}"),
        (Packet(CONTROL.overflow, (0,)), f"the register at 0xf0000014 {KEPT}"),
        # The CSR bus decodes no more of an address than it must: these are the same registers.
        (Packet(RESET + 0x20, (1,)), f"the register at 0xf0000020 {KEPT}"),
        (Packet(RESET + 0x7FC, (1,)), f"the register at 0xf00007fc {KEPT}"),
        (Packet(CONTROL.identifier, (1,)), f"the register at 0xf0000800 {KEPT}"),
    ],
)
def test_what_the_labs_link_needs_is_kept(packet, why, form):
    with pytest.raises(Invalid) as caught:
        operations(packet, MANIFEST.replace(form=form))
    assert (caught.value.code, caught.value.message) == ("run_rejected", NOTHING + why)


OUTSIDE = (
    "is neither in the design's window (0x30000000 to 0x3000003f) nor among the registers of the SoC (0xf0000000 to "
    "0xf000ffff). The board's csr.csv lists what there is."
)


@pytest.mark.parametrize(
    ("packet", "code", "why"),
    [
        (Packet(reads=(0x3000_0040,)), "run_rejected", f"{NOTHING}the address 0x30000040 {OUTSIDE}"),
        (Packet(0x3000_003C, (1, 2)), "run_rejected", f"{NOTHING}the address 0x30000040 {OUTSIDE}"),
        (Packet(reads=(0,)), "run_rejected", f"{NOTHING}the address 0x00000000 {OUTSIDE}"),
        (
            Packet(reads=(0x3000_0002,)),
            "misaligned",
            "The address 0x30000002 is misaligned; the bus is addressed by words of 4 bytes, and the word that holds "
            "it is at 0x30000000.",
        ),
        (
            Packet(0xFFFF_FFFC, (1, 2)),
            "out_of_range",
            "The address 0x100000000 is not on the bus; it has 0x0 to 0xfffffffc.",
        ),
    ],
)
def test_where_nothing_can_be(packet, code, why):
    with pytest.raises(Invalid) as caught:
        operations(packet)
    assert (caught.value.code, caught.value.message) == (code, why)


def test_a_design_without_a_window():
    with pytest.raises(Invalid) as caught:
        operations(Packet(reads=(0x3000_0000,)), MANIFEST.replace(window=Window(0x3000_0000, 0)))
    assert caught.value.message == (
        f"{NOTHING}the address 0x30000000 is not among the registers of the SoC (0xf0000000 to 0xf000ffff). The "
        "board's csr.csv lists what there is."
    )


def test_a_soc_of_ones_own_has_memories_that_only_its_bus_knows():
    manifest = MANIFEST.replace(form="litex_soc", window=Window(0xF000_0000, 0x1800))
    assert operations(Packet(0x0100_0000, (1, 2), (0x0100_0000,)), manifest) == [
        Operation.write(0x0100_0000, (1, 2)),
        Operation.read(0x0100_0000),
    ]
