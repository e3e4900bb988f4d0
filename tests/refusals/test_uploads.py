"""Submissions that are refused at the door: nothing is queued, nothing is built."""

import io
import json
import socket
import stat
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import Lab, Person

FORM = {"Content-Type": "multipart/form-data; boundary=e"}
ROUTES = ("/build", "/submit", "/fpga/1/submit")
PROJECT = {"version": 1, "entrypoint": "design.py", "verilog_sources": []}


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    return f'--e\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"


def form(content: bytes, filename: str = "design.py", **fields: str) -> bytes:
    parts = [part(name, value.encode()) for name, value in fields.items()]
    return b"".join([*parts, part("file", content, filename), b"--e--\r\n"])


def bundle(files: dict[str, bytes] | None = None, project: Any = PROJECT) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if project is not None:
            text = project if isinstance(project, bytes) else json.dumps(project).encode()
            archive.writestr("mrg-project.json", text)
        for name, content in ({"design.py": b"x = 1\n"} if files is None else files).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_kind(kind: int) -> bytes:
    """A bundle with a member that isn't a plain file."""
    buffer = io.BytesIO(bundle())
    with zipfile.ZipFile(buffer, "a") as archive:
        member = zipfile.ZipInfo("more.py")
        member.external_attr = (kind | 0o644) << 16
        archive.writestr(member, "/etc/shadow")
    return buffer.getvalue()


def twice() -> bytes:
    buffer = io.BytesIO(bundle())
    with zipfile.ZipFile(buffer, "a") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr("design.py", "y = 1\n")
    return buffer.getvalue()


def spoilt() -> bytes:
    data = bytearray(bundle({"design.py": bytes(range(256))}))
    at = data.rindex(b"design.py", 0, data.index(b"PK\x01\x02")) + len("design.py") + 20
    data[at] ^= 0xFF
    return bytes(data)


def encrypted() -> bytes:
    """Both places say that the file is encrypted, which it needn't be to be refused."""
    data = bytearray(bundle())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(magic) + offset] |= 1
    return bytes(data)


@pytest.fixture(autouse=True)
def nothing_is_queued(lab: Lab) -> Iterator[None]:
    olga = lab.people["olga"]
    before = olga.get("/jobs?limit=1")
    yield
    assert olga.get("/jobs?limit=1") == before


REJECTED = "The design was not taken: "
NO_PROJECT = (
    'the bundle has no mrg-project.json. Add one: {"version": 1, "entrypoint": "design.py", "verilog_sources": []}.'
)
NAMES = " can't be the name of one of its files. Use a plain relative name such as 'lib/fifo.py'."

FORMS: dict[str, tuple[bytes, int, str, str]] = {
    "not UTF-8": (
        form(b"ok = 1\nname = '\xe9'\n"),
        422,
        "design_rejected",
        REJECTED + "'design.py' is not UTF-8 text (byte 15, in line 2). Save it as UTF-8.",
    ),
    "a program": (
        form(b"\x7fELF\x02\x01\x01" + bytes(100)),
        422,
        "design_rejected",
        REJECTED + "'design.py' is not text: byte 7, in line 1, is a NUL. Save it as UTF-8 text.",
    ),
    "empty": (form(b""), 422, "design_rejected", REJECTED + "'design.py' is empty. Put a design into it."),
    "white": (form(b" \n\t"), 422, "design_rejected", REJECTED + "'design.py' is empty. Put a design into it."),
    "unknown extension": (
        form(b"x", "design.txt"),
        422,
        "design_rejected",
        REJECTED + "'design.txt' is neither a Python nor a Verilog file. Give it a name that ends with .py or .v.",
    ),
    "nothing but an extension": (
        form(b"x", ".py"),
        422,
        "design_rejected",
        REJECTED + "'.py' is neither a Python nor a Verilog file. Give it a name that ends with .py or .v.",
    ),
    "a name with a line break": (
        form(b"x", "a\tb.py"),
        422,
        "design_rejected",
        REJECTED + "'a\\tb.py'" + NAMES,
    ),
    "no file": (
        part("source", b"x") + b"--e--\r\n",
        422,
        "missing_file",
        "A submission has exactly one file part, called `file`; got none.",
    ),
    "two files": (
        part("file", b"x", "a.py") + form(b"x"),
        422,
        "missing_file",
        "A submission has exactly one file part, called `file`; got file, file.",
    ),
    "no form": (
        b"x",
        422,
        "bad_multipart",
        "The body isn't well-formed multipart/form-data; let an HTTP library write it.",
    ),
    "an unknown field": (
        form(b"x", prio="1"),
        422,
        "invalid_request",
        "`prio` is not a field that this request knows; remove it or check its spelling.",
    ),
    "no number": (
        form(b"x", sys_clk_freq="fast"),
        422,
        "invalid_request",
        '`sys_clk_freq` must be an integer; got "fast".',
    ),
    "params that can't be kept": (
        form(b"x", params='{"WIDTH": 1e999}'),
        422,
        "invalid_request",
        '`params` must be an object; got "{\\"WIDTH\\": 1e999}".',
    ),
    "more than a file may have": (
        form(b"#" * (1 << 20) + b"\n"),
        413,
        "design_too_large",
        "A single design file may have 1048576 bytes, and this one has about 1048577; move its data into a bundle "
        "(.zip), which may have 8388608.",
    ),
}


@pytest.mark.parametrize("case", FORMS)
def test_forms(ada: Person, case: str) -> None:
    body, *expected = FORMS[case]
    for path in ROUTES:
        assert ada.refusal("POST", path, body, headers=FORM) == tuple(expected)


BUNDLES: dict[str, tuple[bytes, str]] = {
    "not a zip": (b"PK but no more", "the bundle is not a zip archive that can be read. Pack it again."),
    "cut off": (bundle()[:-30], "the bundle is not a zip archive that can be read. Pack it again."),
    "spoilt": (spoilt(), "the bundle is not a zip archive that can be read. Pack it again."),
    "encrypted": (encrypted(), "the bundle is not a zip archive that can be read. Pack it again."),
    "empty": (bundle({}, None), NO_PROJECT),
    "a name above": (bundle({"../design.py": b"x"}), "'../design.py'" + NAMES),
    "a name around": (bundle({"lib/../../design.py": b"x"}), "'lib/../../design.py'" + NAMES),
    "an absolute name": (bundle({"/etc/cron.d/design.py": b"x"}), "'/etc/cron.d/design.py'" + NAMES),
    "a drive": (bundle({"C:design.py": b"x"}), "'C:design.py'" + NAMES),
    "a backslash": (bundle({"a\\..\\design.py": b"x"}), "'a\\\\..\\\\design.py'" + NAMES),
    "a long name": (bundle({"a" * 256: b"x"}), repr("a" * 79 + "…") + NAMES),
    "an empty part": (bundle({"a//b.py": b"x"}), "'a//b.py'" + NAMES),
    "a link": (with_kind(stat.S_IFLNK), "'more.py' in the bundle is a link or a device. Put the file itself there."),
    "a device": (with_kind(stat.S_IFCHR), "'more.py' in the bundle is a link or a device. Put the file itself there."),
    "a FIFO": (with_kind(stat.S_IFIFO), "'more.py' in the bundle is a link or a device. Put the file itself there."),
    "one name twice": (twice(), "the bundle has two files called 'design.py'. Give each a name of its own."),
    "too many files": (
        bundle({f"f{number}.py": b"x" for number in range(129)}),
        "the bundle has 129 files, and may have 128. Leave out what the design doesn't need.",
    ),
    "no project": (bundle(project=None), NO_PROJECT),
    "a project that isn't JSON": (bundle(project=b"{"), "mrg-project.json is not a JSON object. Write it as one."),
    "a project without end": (bundle(project=b"[" * 60_000), "mrg-project.json is not a JSON object. Write it as one."),
    "a list as project": (bundle(project=[]), "mrg-project.json is not a JSON object. Write it as one."),
    "a long project": (
        bundle(project=json.dumps({**PROJECT, "more": "x" * 65_536}).encode()),
        "mrg-project.json is not a JSON object. Write it as one.",
    ),
    "another version": (
        bundle(project={**PROJECT, "version": 2}),
        "mrg-project.json has version 2, and this lab reads version 1.",
    ),
    "no entry": (
        bundle(project={"version": 1}),
        "mrg-project.json names None as entrypoint, and the bundle has no such file.",
    ),
    "an entry that isn't there": (
        bundle(project={**PROJECT, "entrypoint": "main.py"}),
        "mrg-project.json names 'main.py' as entrypoint, and the bundle has no such file.",
    ),
    "an entry above": (
        bundle(project={**PROJECT, "entrypoint": "../design.py"}),
        "mrg-project.json names '../design.py' as entrypoint, and the bundle has no such file.",
    ),
    "an entry that is no text": (
        bundle(project={**PROJECT, "entrypoint": 7}),
        "mrg-project.json names 7 as entrypoint, and the bundle has no such file.",
    ),
    "itself as entry": (
        bundle(project={**PROJECT, "entrypoint": "mrg-project.json"}),
        "mrg-project.json names 'mrg-project.json' as entrypoint, and the bundle has no such file.",
    ),
    "Verilog that isn't there": (
        bundle(project={**PROJECT, "verilog_sources": ["uart.v"]}),
        "mrg-project.json names 'uart.v' as verilog_sources, and the bundle has no such file.",
    ),
    "Verilog that is no list": (
        bundle(project={**PROJECT, "verilog_sources": "design.py"}),
        "mrg-project.json names 'design.py' as verilog_sources, which is not a list of its files.",
    ),
    "an entry of another kind": (
        bundle({"design.md": b"x"}, {**PROJECT, "entrypoint": "design.md"}),
        "'design.md' is neither a Python nor a Verilog file. Give it a name that ends with .py or .v.",
    ),
    "an empty entry": (bundle({"design.py": b""}), "'design.py' is empty. Put a design into it."),
    "an entry that is not UTF-8": (
        bundle({"design.py": b"\xff"}),
        "'design.py' is not UTF-8 text (byte 0, in line 1). Save it as UTF-8.",
    ),
}


@pytest.mark.parametrize("case", BUNDLES)
def test_bundles(ada: Person, case: str) -> None:
    content, message = BUNDLES[case]
    refusal = ada.refusal("POST", "/build", form(content, "project.zip"), headers=FORM)
    assert refusal == (422, "design_rejected", REJECTED + message)


def test_a_bundle_that_is_small_only_while_it_is_packed(ada: Person) -> None:
    bomb = bundle({"design.py": b"x = 1\n", **{f"{number}.bin": bytes(1 << 20) for number in range(17)}})
    assert len(bomb) < 100_000
    assert ada.refusal("POST", "/submit", form(bomb, "bomb.zip"), headers=FORM) == (
        413,
        "design_too_large",
        "The bundle, unpacked, has more than 16,777,216 bytes, which is what the lab takes. Leave out what the design "
        "doesn't need.",
    )


def test_a_bundle_that_lies_about_its_sizes(ada: Person) -> None:
    bomb = bytearray(bundle({"design.py": b"x = 1\n", "0.bin": bytes(20 << 20)}))
    size = (20 << 20).to_bytes(4, "little")
    while (at := bomb.find(size)) >= 0:
        bomb[at : at + 4] = (5).to_bytes(4, "little")
    assert ada.refusal("POST", "/build", form(bytes(bomb), "bomb.zip"), headers=FORM)[:2] == (422, "design_rejected")


JSON: list[tuple[bytes, str, str]] = [
    (b"", "not_json", "The body isn't JSON (Expecting value: line 1 column 1 (char 0)); send one JSON object."),
    (b"\xff", "not_json", "The body isn't UTF-8 (byte 0); send JSON text in UTF-8."),
    (b"[]", "invalid_request", "The request must be a JSON object; got []."),
    (b"{}", "invalid_request", "`source` is missing; add it."),
    (b'{"source": 5}', "invalid_request", "`source` must be a text; got 5."),
    (b'{"source": ""}', "design_rejected", REJECTED + "'design.py' is empty. Put a design into it."),
    (
        b'{"source": "x", "filename": "a.txt"}',
        "design_rejected",
        REJECTED + "'a.txt' is neither a Python nor a Verilog file. Give it a name that ends with .py or .v.",
    ),
    (
        b'{"source": "\\ud800"}',
        "not_json",
        "The body isn't JSON (half of a surrogate pair is no character); send one JSON object.",
    ),
    (
        b'{"source": "x", "params": {"a": 1e999}}',
        "not_json",
        "The body isn't JSON (1e999 is not a number in JSON); send one JSON object.",
    ),
    (
        b'{"source": "x", "params": {"a": ' + b"[" * 600 + b"]" * 600 + b"}}",
        "not_json",
        "The body isn't JSON (nested deeper than 64); send one JSON object.",
    ),
    (
        b'{"source": "x", "top": "a\\u0000"}',
        "invalid_request",
        '`top` must be a text without control characters; got "a\\u0000".',
    ),
    (
        b'{"source": "x", "idempotency_key": "\\u0000"}',
        "invalid_request",
        '`idempotency_key` must be a text without control characters; got "\\u0000".',
    ),
    (
        b'{"source": "x", "sys_clk_freq": 0}',
        "invalid_request",
        "`sys_clk_freq` must be greater than or equal to 1; got 0.",
    ),
    (
        b'{"source": "x", "target": "moon"}',
        "target_unknown",
        "No board of this lab has target 'moon'. Its boards are of target 'simulated'.",
    ),
    (
        b'{"source": "x", "tags": ["fast"]}',
        "target_unknown",
        "No board of this lab has target 'simulated' and tag 'fast'. Its boards are of target 'simulated'.",
    ),
]


@pytest.mark.parametrize(("body", "code", "message"), JSON, ids=range(len(JSON)))
def test_json(ada: Person, body: bytes, code: str, message: str) -> None:
    assert ada.refusal("POST", "/submit", body, headers={"Content-Type": "application/json"}) == (422, code, message)


def test_a_kind_of_body_that_is_neither(ada: Person) -> None:
    assert ada.refusal("POST", "/build", b"x = 1", headers={"Content-Type": "text/x-python"}) == (
        415,
        "unsupported_media_type",
        "A design is sent as multipart/form-data with a part `file`, or as application/json with `source`; got "
        "text/x-python.",
    )


def test_priority_is_for_operators(ada: Person) -> None:
    assert ada.refusal("POST", "/build", {"source": "x = 1", "priority": 1}) == (
        403,
        "priority_not_allowed",
        "Priority 1 is for operators; everybody else has 0 or less. Leave the priority out.",
    )


def test_a_board_of_another_target(ada: Person) -> None:
    assert ada.refusal("POST", "/fpga/1/submit", {"source": "x = 1", "target": "icebreaker"}) == (
        422,
        "target_mismatch",
        "Board 1 is of target 'simulated', and the design was submitted for 'icebreaker'. Leave the target out, or "
        "submit without a board number.",
    )


def early(person: Person, path: str, headers: str, begun: bytes) -> tuple[int, dict[str, Any]]:
    """The answer to a request whose body is announced and never sent, but for its beginning."""
    split = urlsplit(person.url)
    with socket.create_connection((split.hostname, split.port), timeout=60) as connection:
        connection.sendall(
            f"POST {split.path}{path} HTTP/1.1\r\nHost: lab\r\nX-API-Key: {person.key}\r\n{headers}\r\n\r\n".encode()
            + begun
        )
        with connection.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            length = 0
            while (line := answer.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            return status, json.loads(answer.read(length))


FIVE_MB = 5_000_000
KIND = "Content-Type: multipart/form-data; boundary=e\r\nContent-Length: "


@pytest.mark.parametrize(
    ("path", "headers", "begun", "code", "message"),
    [
        (
            "/submit",
            f"{KIND}{FIVE_MB}",
            part("file", b"", "design.py").rstrip(),
            "design_too_large",
            "A single design file may have 1048576 bytes, and this one has about 5000000; move its data into a bundle "
            "(.zip), which may have 8388608.",
        ),
        (
            "/fpga/1/submit",
            f"{KIND}{10**10}",
            b"",
            "design_too_large",
            "A bundle may have 8388608 bytes and a single file 1048576, and this request has 10000000000; leave out "
            "what the design doesn't need.",
        ),
        (
            "/fpga/1/run",
            f"Content-Type: application/json\r\nContent-Length: {FIVE_MB}",
            b"",
            "body_too_large",
            "The body may have 4194304 bytes here, and this one has 5000000; split the request into smaller ones.",
        ),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_sent(
    ada: Person, path: str, headers: str, begun: bytes, code: str, message: str
) -> None:
    status, envelope = early(ada, path, headers, begun)
    assert (status, envelope["error"], envelope["message"]) == (413, code, message)


def test_who_sends_it_all_the_same_gets_the_answer_too(ada: Person) -> None:
    assert ada.refusal("POST", "/submit", form(b"#" * FIVE_MB), headers=FORM)[:2] == (413, "design_too_large")


def test_five_megabytes_as_json(ada: Person) -> None:
    assert ada.refusal("POST", "/submit", {"source": "#" * FIVE_MB}) == (
        413,
        "design_too_large",
        "A single design file may have 1048576 bytes, and this one has about 5000000; move its data into a bundle "
        "(.zip), which may have 8388608.",
    )
