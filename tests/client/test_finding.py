"""Where a lab is looked for, and what happens when there is none."""

import json
import os

import pytest

from jupyter_fpga.client import Forbidden, Invalid, LabClient, Unavailable, connect, find_lab
from jupyter_fpga.client.finding import Place, places

VERSION = {"name": "jupyter_fpga", "version": "1"}


@pytest.fixture
def runtime(monkeypatch, tmp_path):
    """An empty runtime folder, and an environment that names no lab."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    for name in ("JUPYTER_FPGA_URL", "JUPYTER_FPGA_TOKEN", "JPY_PARENT_PID"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "runtime").mkdir()
    return tmp_path / "runtime"


def test_the_order(runtime):
    (runtime / "jpserver-77.json").write_text(json.dumps({"url": "http://h:1/base/", "token": "s"}))
    (runtime / "fpga-lab.json").write_text(json.dumps({"url": "http://h:2/jupyter-fpga", "token": "l"}))
    kernel = {"JPY_PARENT_PID": "77"}
    environment = {"JUPYTER_FPGA_URL": "http://h:3", "JUPYTER_FPGA_TOKEN": "e"}
    assert list(places("http://h:4", "a", environment)) == [Place("http://h:4", "a", "--url (url= in Python)", True)]
    assert list(places("http://h:4", None, environment)) == [Place("http://h:4", "e", "--url (url= in Python)", True)]
    assert list(places(None, None, {**kernel, **environment})) == [Place("http://h:3", "e", "JUPYTER_FPGA_URL", True)]
    assert list(places(None, None, kernel)) == [
        Place("http://h:1/base/jupyter-fpga", "s", "the Jupyter server that started this kernel", served=True),
        Place("http://h:2/jupyter-fpga", "l", "the lab that you run already"),
    ]
    assert list(places(None, None, {"JPY_PARENT_PID": "78"})) == [
        Place("http://h:2/jupyter-fpga", "l", "the lab that you run already")
    ]


def test_files_that_are_half_written_count_as_none(runtime):
    (runtime / "jpserver-77.json").write_text("{")
    (runtime / "fpga-lab.json").write_text("[]")
    assert list(places(None, None, {"JPY_PARENT_PID": "77"})) == []


def test_a_servers_address_is_as_good_as_the_labs(runtime, serve, answering):
    url = serve([("/base/jupyter-fpga/version", answering(200, VERSION))])
    with find_lab(f"{url}/base", "t") as found:
        assert found.url == f"{url}/base/jupyter-fpga"
    with find_lab(f"{url}/base/jupyter-fpga/", "t") as found:
        assert found.url == f"{url}/base/jupyter-fpga"


def test_a_server_without_the_extension_is_passed_over(runtime, serve, answering):
    url = serve([("/lab/version", answering(200, VERSION))])
    (runtime / "jpserver-77.json").write_text(json.dumps({"url": f"{url}/nothing/", "token": ""}))
    (runtime / "fpga-lab.json").write_text(json.dumps({"url": f"{url}/lab", "token": ""}))
    with find_lab(environment={"JPY_PARENT_PID": "77"}) as found:
        assert found.url == f"{url}/lab"


def test_where_somebody_says_that_there_is_a_lab_there_must_be_one(runtime, serve, answering, monkeypatch):
    url = serve([("/other/version", answering(200, [])), ("/other/jupyter-fpga/version", answering(200, []))])
    with pytest.raises(Unavailable) as refusal:
        find_lab(f"{url}/nothing")
    assert str(refusal.value) == (
        f"What answers at {url}/nothing is not a lab; correct --url (url= in Python), or do without it to use your own "
        "lab."
    )
    monkeypatch.setenv("JUPYTER_FPGA_URL", f"{url}/other")
    with pytest.raises(Unavailable) as refusal:
        find_lab()
    assert str(refusal.value) == (
        f"What answers at {url}/other is not a lab; correct JUPYTER_FPGA_URL, or do without it to use your own lab."
    )


def test_a_server_that_lets_nobody_in(runtime, serve, answering):
    url = serve([("/version", answering(403, {"message": "Forbidden"}))])
    with pytest.raises(Forbidden) as refusal:
        find_lab(url, "wrong")
    assert str(refusal.value) == (
        f"What answers at {url} lets nobody in with this token, or with none; correct the token or --url (url= in "
        "Python), or do without both to use your own lab."
    )


@pytest.mark.parametrize("url", ["nonsense", "127.0.0.1:8888", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"])
def test_what_no_lab_can_be_at(runtime, url):
    with pytest.raises(Invalid) as refusal:
        find_lab(url)
    assert str(refusal.value) == (
        f"“{url}” is no address that a lab can have, such as http://127.0.0.1:8888; correct --url (url= in Python), or "
        "do without it to use your own lab."
    )


def test_a_lab_that_has_died_is_none(runtime):
    (runtime / "fpga-lab.json").write_text(json.dumps({"url": "http://127.0.0.1:1/jupyter-fpga", "token": "l"}))
    assert find_lab() is None
    with pytest.raises(Unavailable) as refusal:
        connect(start=False)
    assert str(refusal.value) == (
        "No lab runs here. Start one with `jupyter fpga serve` or `jupyter lab`, or set JUPYTER_FPGA_URL to the "
        "address of one."
    )


def test_a_lab_is_started_once_and_that_is_said(runtime, monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_FPGA_DATA_DIR", str(tmp_path / "data"))
    said = []
    with connect(say=said.append) as first:
        try:
            assert said == ["No lab runs here: starting one on this machine, which ends itself when nobody needs it."]
            assert first.version()["name"] == "jupyter_fpga"
            assert os.getpgid(first.started.pid) != os.getpgid(0)
            with connect(say=said.append) as second:
                assert second.url == first.url
                assert second.started is None
                assert len(said) == 1
        finally:
            first.started.process.terminate()
            assert first.started.process.wait(60) == 0
    assert find_lab() is None


def test_the_default_is_to_say_it_on_stderr(runtime, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("JUPYTER_FPGA_DATA_DIR", str(tmp_path / "data"))
    client = connect()
    client.close()
    client.started.process.terminate()
    assert client.started.process.wait(60) == 0
    assert capsys.readouterr().err.startswith("No lab runs here: starting one")


def test_the_package_has_connect(runtime, served_lab):
    import jupyter_fpga

    with jupyter_fpga.connect(served_lab.url, served_lab.token) as lab:
        assert isinstance(lab, LabClient)
    with pytest.raises(AttributeError, match="module 'jupyter_fpga' has no attribute 'nonsense'"):
        jupyter_fpga.nonsense  # noqa: B018
