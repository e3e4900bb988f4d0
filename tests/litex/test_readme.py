"""README's examples, as a reader runs them."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def example(name: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\s*```\w+\n(.*?)\n```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_litex_s_own_tools(lab, environment, address, own_localhost, tmp_path):
    (tmp_path / "design.py").write_text(re.search(r"%%fpga --name pwm\n(.*?)\n```", README, re.DOTALL)[1])
    pwm = lab.submit(tmp_path / "design.py").board().ready()

    def run(command: list[str]) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    command = [*own_localhost, "sh", "-ec", f"exec {example('etherbone')}"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith(f"Board {pwm.fpga_id} answers LiteX's tools at {address}:1234, ")
        lines = run([*own_localhost, "sh", "-ec", example("litex")]).splitlines()
        process.kill()
    assert lines[0] == "csr.csv"
    assert lines[1].startswith(pwm.manifest.identifier)
    assert f"{pwm.manifest.window.base:#010x} : 0x00000028 window_duty" in lines
    assert pwm.regs.duty.read() == 40
    connected = "import jupyter_fpga\npwm = jupyter_fpga.connect().board()\n"
    assert run([sys.executable, "-c", connected + example("remote")]) == "40\n"
