"""Bodies of requests: how large they may be, refused before they are read, and what a submission's body holds."""

import re
from collections.abc import Callable
from typing import Any

from tornado.httputil import HTTPFile, HTTPHeaders, HTTPInputError, parse_body_arguments

from jupyter_fpga.errors import Invalid, TooLarge

from .errors import UnsupportedMediaType
from .models import SubmitFields, SubmitJson
from .validation import json_value, parse_json, validate

__all__ = ("JSON_LIMIT", "MAX_BUNDLE", "MAX_FILE", "UPLOAD_LIMIT", "BodyLimit", "Upload", "upload_from_body")

MAX_FILE = 1024 * 1024
"""Largest single-file design, bytes: spec of the API."""
MAX_BUNDLE = 8 * 1024 * 1024
"""Largest bundle (.zip), bytes: spec of the API."""
_OVERHEAD = 64 * 1024
"""Room for the other fields of a form and its boundaries, bytes."""
JSON_LIMIT = 4 * 1024 * 1024
"""Largest JSON body that isn't a submission, bytes: 1,024 transactions of some hundred words."""
UPLOAD_LIMIT = MAX_BUNDLE + _OVERHEAD
"""Largest body of a submission, bytes. The same for JSON, which may need several bytes for one of its source."""

_FILENAME = re.compile(rb'name="file"[^\r\n]*?filename="([^"\r\n]*)"', re.IGNORECASE)
_SNIFF = 16 * 1024
"""How far into a form its file's name is looked for, bytes: fields may come before the file."""


class BodyLimit:
    """Watches one request's body while it arrives, and refuses it as soon as it is known to be too large.

    Parameters
    ----------
    limit
        Bytes of the whole body.
    upload
        Whether it is a submission, whose limit depends on what its file is called.
    refuse
        The refusal for a size and the limit; in the words of what the body is.
    """

    def __init__(
        self, limit: int, *, upload: bool = False, refuse: Callable[[int, int], TooLarge] | None = None
    ) -> None:
        self.limit = limit
        self._upload = upload
        self._refuse = refuse or (lambda length, limit: body_too_large(length, limit, upload=upload))
        self._counted = 0
        self._declared: int | None = None
        self._form = False
        self._body = bytearray()

    @property
    def body(self) -> bytes:
        """What has arrived."""
        return bytes(self._body)

    def headers(self, headers: HTTPHeaders) -> None:
        """Check what the headers say.

        Raises
        ------
        TooLarge
            The Content-Length is over the limit.
        """
        length = headers.get("Content-Length", "")
        self._declared = int(length) if length.isascii() and length.isdigit() else None
        self._form = headers.get("Content-Type", "").lower().startswith("multipart/")
        if self._declared is not None:
            self._check(self._declared)

    def count(self, length: int) -> None:
        """A piece of the body has come, and goes elsewhere.

        Raises
        ------
        TooLarge
            More has arrived than the limit.
        """
        self._counted += length
        self._check(self._counted)

    def chunk(self, chunk: bytes) -> None:
        """Take the next piece of the body.

        Raises
        ------
        TooLarge
            More has arrived than the limit, or the form's file is a single design and the body too long for one.
        """
        self.count(len(chunk))
        looked = len(self._body) >= _SNIFF
        self._body += chunk
        if self._upload and self._form and not looked:
            length = self._declared if self._declared is not None else len(self._body)
            if length > MAX_FILE + _OVERHEAD:
                name = _FILENAME.search(self._body, 0, _SNIFF)
                if name is not None and not name[1].lower().endswith(b".zip"):
                    raise file_too_large(length)

    def _check(self, length: int) -> None:
        if length > self.limit:
            raise self._refuse(length, self.limit)


def file_too_large(length: int) -> TooLarge:
    """A single-file design over the limit."""
    return TooLarge(
        f"A single design file may have {MAX_FILE} bytes, and this one has about {length}; "
        f"move its data into a bundle (.zip), which may have {MAX_BUNDLE}.",
        code="design_too_large",
        detail={"limit": MAX_FILE},
    )


def body_too_large(length: int, limit: int, *, upload: bool) -> TooLarge:
    """A body over the route's limit."""
    if upload:
        return TooLarge(
            f"A bundle may have {MAX_BUNDLE} bytes and a single file {MAX_FILE}, and this request has {length}; "
            "leave out what the design doesn't need.",
            code="design_too_large",
            detail={"limit": MAX_BUNDLE},
        )
    return TooLarge(
        f"The body may have {limit} bytes here, and this one has {length}; split the request into smaller ones.",
        code="body_too_large",
        detail={"limit": limit},
    )


class Upload:
    """What a submission carries: a file and the fields beside it."""

    def __init__(self, filename: str, content: bytes, fields: SubmitFields) -> None:
        if not filename.lower().endswith(".zip") and len(content) > MAX_FILE:
            raise file_too_large(len(content))
        self.filename = filename
        self.content = content
        self.fields = fields


def upload_from_body(content_type: str, body: bytes) -> Upload:
    """Read a submission, as multipart form data or as JSON.

    Raises
    ------
    Invalid
        A field is missing or wrong.
    TooLarge
        The source is over its limit.
    UnsupportedMediaType
        The body is neither.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return _from_form(content_type, body)
    if kind == "application/json":
        sent = validate(SubmitJson, parse_json(body))
        return Upload(sent.filename, sent.source.encode(), sent)
    raise UnsupportedMediaType(
        "A design is sent as multipart/form-data with a part `file`, or as application/json with `source`; "
        f"got {kind or 'no Content-Type'}."
    )


def _from_form(content_type: str, body: bytes) -> Upload:
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    try:
        parse_body_arguments(content_type, body, arguments, files)
    except HTTPInputError as error:
        raise Invalid(
            "The body isn't well-formed multipart/form-data; let an HTTP library write it.",
            code="bad_multipart",
            detail={"reason": str(error)},
        ) from error
    uploads = files.get("file", [])
    if len(uploads) != 1 or len(files) != 1:
        parts = sorted(name for name, values in files.items() for _ in values)
        raise Invalid(
            f"A submission has exactly one file part, called `file`; got {', '.join(parts) or 'none'}.",
            code="missing_file",
        )
    # What is left empty in a form is as if it weren't there; so is what a program writes for None.
    given = {name: values for name, values in arguments.items() if values[-1] not in (b"", b"null")}
    fields = validate(SubmitFields, {name: _field(name, values) for name, values in given.items()})
    return Upload(str(uploads[0]["filename"]), bytes(uploads[0]["body"]), fields)


_LISTS = frozenset({"tags", "probes"})
_NUMBERS = frozenset({"sys_clk_freq", "timing_target_mhz", "priority", "seed", "explore"})


def _field(name: str, values: list[bytes]) -> Any:
    """A form's field as the JSON value that it stands for; what doesn't parse stays a text, for validation to name."""
    texts = [value.decode("utf-8", "replace") for value in values]
    if name in _LISTS:
        if len(texts) == 1 and texts[0].lstrip().startswith("["):
            return _json_or_text(texts[0])
        return [part.strip() for text in texts for part in text.split(",") if part.strip()]
    last = texts[-1]
    if name == "params":
        return _json_or_text(last)
    if name in ("use_cache", "flash", "verify"):
        return {"true": True, "1": True, "false": False, "0": False}.get(last.lower(), last)
    if name in _NUMBERS:
        return _number(last)
    return last


def _json_or_text(text: str) -> Any:
    try:
        return json_value(text)
    except ValueError:
        return text


def _number(text: str) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    # `90e6` hertz is an integer to whoever wrote it.
    return int(number) if number.is_integer() else number
