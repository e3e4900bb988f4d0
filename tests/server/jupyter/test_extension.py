"""The extension's place in the server: found after install, metrics joined, traits checked."""

import os
import subprocess
import sys
from importlib.resources import files
from types import SimpleNamespace

import pytest
from traitlets import TraitError

from jupyter_fpga.app import JupyterFpga

from ..conftest import CountingCompute  # noqa: TID252 - the tests are no package


def test_the_server_finds_the_extension_by_the_file_that_is_shipped(tmp_path):
    environment = {**os.environ, "JUPYTER_CONFIG_PATH": str(files("jupyter_fpga") / "etc"), "HOME": str(tmp_path)}
    listing = subprocess.run(
        [sys.executable, "-m", "jupyter_server", "extension", "list"], capture_output=True, text=True, env=environment
    )
    text = listing.stdout + listing.stderr
    assert listing.returncode == 0, text
    lines = text.splitlines()
    found = [number for number, line in enumerate(lines) if "jupyter_fpga" in line and "enabled" in line]
    assert found, text
    assert any("jupyter_fpga" in line and "OK" in line for line in lines), text


async def test_the_labs_metrics_are_the_servers_while_it_hosts(server, extension, fpga):
    origin = type(server)(server.url.removesuffix("/jupyter-fpga"), server.token)
    headers = {"Authorization": f"token {server.token}"}
    extension._hosting_changed(SimpleNamespace(lab=SimpleNamespace(fpga=fpga, compute=CountingCompute())))
    assert b"jupyter_fpga_answer 42.0" in (await origin.ask("GET", "/metrics", headers=headers)).body
    extension._hosting_changed(None)
    assert b"jupyter_fpga_answer" not in (await origin.ask("GET", "/metrics", headers=headers)).body
    await origin.close()


def test_a_time_that_is_none_is_refused(extension):
    for name in ("session_ttl", "max_renew"):
        with pytest.raises(TraitError) as caught:
            setattr(extension, name, 0)
        assert str(caught.value) == f"JupyterFpga.{name} is a time in seconds and must be greater than 0; got 0.0."


def test_the_traits_are_the_labs_configuration(extension, tmp_path):
    extension.data_dir = str(tmp_path)
    extension.boards = 3
    extension.session_ttl = 60
    extension.max_held_boards = 2
    extension.stage_seconds = 20
    config = extension.lab_config()
    assert config.data_dir == tmp_path
    assert [board.fpga_id for board in config.fpga.boards] == [0, 1, 2]
    assert config.fpga.session_ttl == 60
    assert config.fpga.quotas.max_held_boards == 2
    assert config.stage_seconds == 20
    assert not config.several_users


def test_every_trait_says_what_it_is_for():
    assert all(trait.help for trait in JupyterFpga.class_own_traits(config=True).values())


def test_where_the_data_is(extension, monkeypatch, jp_data_dir):
    assert JupyterFpga().data_dir == str(jp_data_dir / "fpga")
    monkeypatch.setenv("JUPYTER_FPGA_DATA_DIR", "/srv/lab")
    assert JupyterFpga().data_dir == "/srv/lab"
