"""Bundles: what is taken, and every trick that isn't."""

import io
import json
import stat
import struct
import zipfile

import pytest

from jupyter_fpga.compute import Source
from jupyter_fpga.errors import Invalid, LabError, TooLarge
from jupyter_fpga.server.uploads import MAX_EXPANDED, MAX_FILES, PROJECT, unpack

GOOD = {"version": 1, "entrypoint": "design.py", "verilog_sources": ["rtl/fifo.v"]}
FILES = {"design.py": b"text", "rtl/fifo.v": b"module"}


def packed(files: dict[str, bytes], project: object = GOOD, **infos: zipfile.ZipInfo) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if project is not None:
            archive.writestr(PROJECT, project if isinstance(project, bytes) else json.dumps(project))
        for name, content in files.items():
            archive.writestr(infos.get(name.replace(".", "_"), name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def refusal(content: bytes) -> LabError:
    with pytest.raises(LabError) as caught:
        unpack(content)
    return caught.value


def rejected(content: bytes) -> str:
    error = refusal(content)
    assert isinstance(error, Invalid)
    assert error.code == "design_rejected"
    assert error.message.startswith("The design was not taken: ")
    return error.message.removeprefix("The design was not taken: ")


def test_a_bundle_keeps_its_project_file():
    content = packed(FILES)
    assert unpack(content) == Source(files={PROJECT: json.dumps(GOOD).encode(), **FILES}, entry="design.py")


def test_folders_as_entries_are_passed_over():
    buffer = io.BytesIO(packed(FILES))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.mkdir("rtl")
    assert set(unpack(buffer.getvalue()).files) == {PROJECT, *FILES}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip", packed(FILES)[:-30], packed(FILES)[40:]])
def test_what_is_not_an_archive(content):
    assert rejected(content) == "the bundle is not a zip archive that can be read. Pack it again."


def test_damaged_data():
    content = bytearray(packed({"design.py": bytes(range(256)) * 40}))
    start = content.find(b"design.py") + len("design.py")
    content[start + 5 : start + 25] = b"\xff" * 20
    assert rejected(bytes(content)) == "the bundle is not a zip archive that can be read. Pack it again."


def test_an_encrypted_entry():
    content = bytearray(packed(FILES))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            content[position + offset] |= 1
            position = content.find(signature, position + 1)
    assert rejected(bytes(content)) == "the bundle is not a zip archive that can be read. Pack it again."


@pytest.mark.parametrize(
    "name", ["../design.py", "/etc/passwd", "a/../b.py", "./a.py", "a//b.py", "a\\b.py", "C:x.py", "a\nb.py", "x" * 256]
)
def test_a_name_that_leads_elsewhere_or_nowhere(name):
    shown = repr(name if len(name) <= 80 else name[:79] + "…")
    assert rejected(packed({**FILES, name: b""})) == (
        f"{shown} can't be the name of one of its files. Use a plain relative name such as 'lib/fifo.py'."
    )


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(kind):
    info = zipfile.ZipInfo("design.py")
    info.external_attr = (kind | 0o644) << 16
    assert rejected(packed(FILES, design_py=info)) == (
        "'design.py' in the bundle is a link or a device. Put the file itself there."
    )


def test_two_files_of_one_name():
    buffer = io.BytesIO(packed(FILES))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("design.py", "other")
    assert rejected(buffer.getvalue()) == "the bundle has two files called 'design.py'. Give each a name of its own."


def test_too_many_files():
    most = {f"f{number}.py": b"" for number in range(MAX_FILES - 2)}
    assert len(unpack(packed({**FILES, **most})).files) == MAX_FILES + 1
    assert rejected(packed({**FILES, **most, "more.py": b""})) == (
        f"the bundle has {MAX_FILES + 1} files, and may have {MAX_FILES}. Leave out what the design doesn't need."
    )


def test_a_bomb():
    error = refusal(packed({**FILES, "zeros.bin": b"\0" * (MAX_EXPANDED + 5_000_000)}))
    assert isinstance(error, TooLarge)
    assert error.code == "design_too_large"
    assert error.message == (
        "The bundle, unpacked, has more than 16,777,216 bytes, which is what the lab takes. "
        "Leave out what the design doesn't need."
    )


def test_a_bomb_that_lies_about_its_size():
    content = bytearray(packed({**FILES, "zeros.bin": b"\0" * (MAX_EXPANDED + 5_000_000)}))
    central = content.rfind(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", 10)
    assert refusal(bytes(content)).code in ("design_rejected", "design_too_large")


@pytest.mark.parametrize(
    ("project", "message"),
    [
        (
            None,
            "the bundle has no mrg-project.json. Add one: "
            '{"version": 1, "entrypoint": "design.py", "verilog_sources": []}.',
        ),
        (b"{", "mrg-project.json is not a JSON object. Write it as one."),
        (b"\xff", "mrg-project.json is not a JSON object. Write it as one."),
        (b"[" * 50_000, "mrg-project.json is not a JSON object. Write it as one."),
        ([], "mrg-project.json is not a JSON object. Write it as one."),
        (b" " * 70_000, "mrg-project.json is not a JSON object. Write it as one."),
        ({**GOOD, "version": 2}, "mrg-project.json has version 2, and this lab reads version 1."),
        (
            {**GOOD, "entrypoint": "top.py"},
            "mrg-project.json names 'top.py' as entrypoint, and the bundle has no such file.",
        ),
        (
            {**GOOD, "entrypoint": PROJECT},
            "mrg-project.json names 'mrg-project.json' as entrypoint, and the bundle has no such file.",
        ),
        ({"version": 1}, "mrg-project.json names None as entrypoint, and the bundle has no such file."),
        (
            {**GOOD, "verilog_sources": ["rtl/uart.v"]},
            "mrg-project.json names 'rtl/uart.v' as verilog_sources, and the bundle has no such file.",
        ),
        (
            {**GOOD, "verilog_sources": "rtl/fifo.v"},
            "mrg-project.json names 'rtl/fifo.v' as verilog_sources, which is not a list of its files.",
        ),
        (
            {**GOOD, "verilog_sources": [5]},
            "mrg-project.json names 5 as verilog_sources, and the bundle has no such file.",
        ),
    ],
)
def test_a_project_file_that_does_not_fit(project, message):
    assert rejected(packed(FILES, project)) == message


def test_without_verilog_sources():
    assert unpack(packed(FILES, {"version": 1, "entrypoint": "design.py"})).entry == "design.py"
