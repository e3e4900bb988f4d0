"""A kernel finds the lab of the Jupyter server that started it."""

import os
import subprocess
import sys

import pytest

from jupyter_fpga.client import find_lab


@pytest.fixture
def server(served_lab, tmp_path, monkeypatch):
    """A Jupyter server with the extension and a lab without boards; its process."""
    environment = dict(served_lab.environment)
    for kind in ("RUNTIME", "DATA"):
        environment[f"JUPYTER_{kind}_DIR"] = str(tmp_path / kind)
    for name, value in environment.items():
        if name.startswith("JUPYTER"):
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("JUPYTER_FPGA_URL", raising=False)
    command = [sys.executable, "-m", "jupyter_server", "--port=0", "--no-browser", "--JupyterFpga.boards=0"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_fpga': True}", f"--ServerApp.root_dir={tmp_path}"]
    if os.getuid() == 0:
        command.append("--allow-root")
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "hosts your FPGA lab" in line:
                break
        yield process
        process.terminate()
        process.stderr.read()
        assert process.wait() == 0


def test_the_kernels_own_server_is_the_lab(server):
    with find_lab(environment={"JPY_PARENT_PID": str(server.pid)}) as lab:
        assert lab.url.endswith("/jupyter-fpga")
        assert lab.boards() == []
        assert lab.jobs() == []


def test_its_compute_service_takes_files_and_follows_what_becomes_of_them(server, tmp_path):
    (tmp_path / "big").write_bytes(bytes(3 << 20))
    with find_lab(environment={"JPY_PARENT_PID": str(server.pid)}) as lab:
        run = b'#!/bin/sh\ncp inputs/big outputs/big; echo "copied"\n'
        lab.compute.register({"name": "copier", "functions": ["copy"], "executables": {"run": run}})
        queue = lab.compute.create_queue(remote=False)
        action = queue.submit("copy", {"big": tmp_path / "big"}).wait(60)
        assert (action.ok, action.log) == (True, "copied\n")
        files = action.outputs.download(tmp_path / "out")
        assert files["big"].read_bytes() == bytes(3 << 20)
        assert queue.drain()["is_complete"]
