import json

import pytest
from tornado.httputil import HTTPHeaders

from jupyter_fpga.errors import Invalid, LabError, TooLarge
from jupyter_fpga.server.body import MAX_BUNDLE, MAX_FILE, UPLOAD_LIMIT, BodyLimit, upload_from_body
from jupyter_fpga.server.errors import UnsupportedMediaType
from jupyter_fpga.server.models import SubmitFields

BOUNDARY = "----edge"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def part(disposition: str, content: bytes) -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"


def form(filename: str | None, content: bytes, **fields: str | list[str]) -> bytes:
    parts = []
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            parts.append(part(f'name="{name}"', value.encode()))
    if filename is not None:
        parts.append(part(f'name="file"; filename="{filename}"', content))
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def refusal(content_type: str, body: bytes) -> LabError:
    with pytest.raises(LabError) as caught:
        upload_from_body(content_type, body)
    return caught.value


def test_a_form_with_all_fields():
    body = form(
        "design.py",
        b"text",
        top="Top",
        sys_clk_freq="90e6",
        timing_target_mhz="12.5",
        tags=["a, b", "c"],
        probes='["x.y", "z"]',
        params='{"WIDTH": 8}',
        priority="-1",
        idempotency_key="k",
        use_cache="false",
        flash="true",
    )
    upload = upload_from_body(FORM, body)
    assert (upload.filename, upload.content) == ("design.py", b"text")
    assert upload.fields == SubmitFields(
        top="Top",
        sys_clk_freq=90_000_000,
        timing_target_mhz=12.5,
        tags=["a", "b", "c"],
        probes=["x.y", "z"],
        params={"WIDTH": 8},
        priority=-1,
        idempotency_key="k",
        use_cache=False,
        flash=True,
    )


def test_json():
    upload = upload_from_body("application/json; charset=utf-8", b'{"source": "caf\xc3\xa9", "filename": "a.v"}')
    assert (upload.filename, upload.content) == ("a.v", "café".encode())


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"nothing", "bad_multipart", "The body isn't well-formed multipart/form-data; let an HTTP library write it."),
        (
            form(None, b""),
            "missing_file",
            "A submission has exactly one file part, called `file`; got none.",
        ),
        (
            form("a.py", b"a").replace(b'name="file"', b'name="design"'),
            "missing_file",
            "A submission has exactly one file part, called `file`; got design.",
        ),
        (
            form("a.py", b"a", sys_clk_freq="fast"),
            "invalid_request",
            '`sys_clk_freq` must be an integer; got "fast".',
        ),
        (form("a.py", b"a", params="{"), "invalid_request", '`params` must be an object; got "{".'),
        (
            form("a.py", b"a", params='{"a": 1e999}'),
            "invalid_request",
            '`params` must be an object; got "{\\"a\\": 1e999}".',
        ),
        (form("a.py", b"a", use_cache="maybe"), "invalid_request", '`use_cache` must be true or false; got "maybe".'),
        (
            form("a.py", b"a", topp="x"),
            "invalid_request",
            "`topp` is not a field that this request knows; remove it or check its spelling.",
        ),
    ],
)
def test_what_can_not_be_a_form(body, code, message):
    error = refusal(FORM, body)
    assert isinstance(error, Invalid)
    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize(("kind", "shown"), [("", "no Content-Type"), ("text/plain; x=y", "text/plain")])
def test_what_is_neither(kind, shown):
    error = refusal(kind, b"x")
    assert isinstance(error, UnsupportedMediaType)
    assert error.message == (
        "A design is sent as multipart/form-data with a part `file`, or as application/json with `source`; "
        f"got {shown}."
    )


def test_half_a_surrogate_pair():
    error = refusal("application/json", json.dumps({"source": "\ud800"}).encode())
    assert error.message == "The body isn't JSON (half of a surrogate pair is no character); send one JSON object."
    assert error.code == "not_json"


def test_what_is_left_empty_in_a_form_is_not_there():
    upload = upload_from_body(FORM, form("a.py", b"a", top="", sys_clk_freq="null", tags="", params="null"))
    assert upload.fields == SubmitFields()


def headers(length: int | None, kind: str = FORM) -> HTTPHeaders:
    return HTTPHeaders({"Content-Type": kind} | ({} if length is None else {"Content-Length": str(length)}))


def test_a_design_over_its_limit_is_refused_by_its_content_length():
    with pytest.raises(TooLarge) as caught:
        BodyLimit(UPLOAD_LIMIT, upload=True).headers(headers(UPLOAD_LIMIT + 1))
    assert caught.value.code == "design_too_large"
    assert caught.value.message == (
        f"A bundle may have {MAX_BUNDLE} bytes and a single file {MAX_FILE}, and this request has {UPLOAD_LIMIT + 1}; "
        "leave out what the design doesn't need."
    )


@pytest.mark.parametrize("declared", [True, False])
def test_a_single_file_is_refused_when_its_name_is_seen(declared):
    body = form("design.py", b"#" * (5 * MAX_FILE), top="Top")
    limit = BodyLimit(UPLOAD_LIMIT, upload=True)
    limit.headers(headers(len(body) if declared else None))
    first = 4096 if declared else 2 * MAX_FILE
    with pytest.raises(TooLarge) as caught:
        limit.chunk(body[:first])
    size = len(body) if declared else first
    assert caught.value.message == (
        f"A single design file may have {MAX_FILE} bytes, and this one has about {size}; "
        f"move its data into a bundle (.zip), which may have {MAX_BUNDLE}."
    )


def test_a_bundle_of_that_size_is_taken():
    body = form("design.zip", b"#" * (5 * MAX_FILE))
    limit = BodyLimit(UPLOAD_LIMIT, upload=True)
    limit.headers(headers(len(body)))
    for start in range(0, len(body), 65536):
        limit.chunk(body[start : start + 65536])
    assert limit.body == body


def test_a_single_file_just_over_the_limit_is_refused_after_parsing():
    for kind, body in (
        (FORM, form("design.py", b"#" * (MAX_FILE + 1))),
        ("application/json", json.dumps({"source": "#" * (MAX_FILE + 1)}).encode()),
    ):
        error = refusal(kind, body)
        assert isinstance(error, TooLarge)
    assert upload_from_body(FORM, form("design.py", b"#" * MAX_FILE)).content == b"#" * MAX_FILE


def test_a_body_without_length_is_counted_while_it_comes():
    limit = BodyLimit(10)
    limit.headers(headers(None, "application/json"))
    limit.chunk(b"x" * 10)
    with pytest.raises(TooLarge) as caught:
        limit.chunk(b"x")
    assert caught.value.code == "body_too_large"
    assert caught.value.message == (
        "The body may have 10 bytes here, and this one has 11; split the request into smaller ones."
    )
