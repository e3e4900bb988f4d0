"""What a person hands over becomes one file."""

import io
import json
import zipfile

import pytest

from jupyter_fpga.client import Invalid, bundle
from jupyter_fpga.client.sources import load_source


def names(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


def test_text_bytes_and_files(tmp_path):
    path = tmp_path / "blinky.v"
    path.write_text("module m; endmodule")
    assert load_source("x = 1\n") == ("design.py", b"x = 1\n")
    assert load_source("module m;\nendmodule", "top.v") == ("top.v", b"module m;\nendmodule")
    assert load_source(b"x") == ("design.py", b"x")
    assert load_source(b"PK\x03\x04...") == ("design.zip", b"PK\x03\x04...")
    assert load_source(path) == load_source(str(path)) == ("blinky.v", b"module m; endmodule")


def test_a_folder_becomes_a_bundle_without_what_nobody_meant(tmp_path):
    for name in ("design.py", "helper.v", "sub/more.py", ".git/config", "__pycache__/x.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    filename, content = load_source(tmp_path)
    assert filename == "design.zip"
    assert names(content) == ["design.py", "helper.v", "mrg-project.json", "sub/more.py"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        project = json.loads(archive.read("mrg-project.json"))
    assert project == {"version": 1, "entrypoint": "design.py", "verilog_sources": ["helper.v"]}
    assert load_source(tmp_path)[1] == content


def test_a_folder_with_a_project_file_is_taken_as_it_is(tmp_path):
    (tmp_path / "mrg-project.json").write_text('{"version": 1, "entrypoint": "x.py"}')
    (tmp_path / "x.py").write_text("")
    with zipfile.ZipFile(io.BytesIO(load_source(tmp_path)[1])) as archive:
        assert archive.read("mrg-project.json") == b'{"version": 1, "entrypoint": "x.py"}'


def test_equal_files_make_equal_bundles():
    assert bundle({"a.py": b"1", "b.v": b"2"}, "a.py") == bundle({"b.v": b"2", "a.py": b"1"}, "a.py")


def test_what_is_no_design(tmp_path):
    (tmp_path / "empty").mkdir()
    cases = {
        tmp_path / "missing.py": f"The design “{tmp_path}/missing.py” can't be read: No such file or directory.",
        tmp_path / "notes.txt": (
            f"“{tmp_path}/notes.txt” is neither a folder nor a file that ends in .py, .v or .zip; "
            "give one of those, or the text of a design."
        ),
        tmp_path / "empty": (
            f"The folder “{tmp_path}/empty” has neither mrg-project.json nor a design.py or design.v; "
            'add mrg-project.json with {"version": 1, "entrypoint": "…"}.'
        ),
    }
    for path, message in cases.items():
        with pytest.raises(Invalid) as refusal:
            load_source(path)
        assert str(refusal.value) == message
        assert refusal.value.code == "design_rejected"
