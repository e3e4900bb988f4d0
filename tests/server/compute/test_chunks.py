"""Chunks and packages over HTTP: large ones, wrong ones, and whose they are."""

import os

import pytest

from jupyter_fpga.server.compute.packages import CHUNK_LIMIT, DESCRIPTOR_LIMIT, PACKAGE_LIMIT

from .conftest import HASH, MIXED, hashing, noop, package, sha256


def not_found(hash) -> tuple[int, str, str]:
    return 404, "chunk_not_found", f"There is no chunk {hash} of yours. Send it with PUT first."


def malformed(why: str) -> tuple[int, str, str]:
    return (
        422,
        "bad_multipart",
        f"The body isn't a well-formed multipart/mixed package: {why}. Let a library write it, or send the chunks one "
        "by one with PUT.",
    )


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 5_000_000])
async def test_what_was_sent_comes_back(people, size):
    content = os.urandom(size)
    for _ in range(2):
        hash = await people.put("ada", content)
    response = await people["ada"].ask("GET", f"/compute/chunks/{hash}")
    assert (response.code, response.body) == (200, content)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{hash}"'
    response = await people["ada"].ask("HEAD", f"/compute/chunks/{hash}")
    assert (response.code, response.headers["Content-Length"], response.body) == (200, str(size), b"")


async def test_anothers_chunk_looks_like_none(people):
    hash = await people.put("ada", b"ada's own")
    for name in (hash, "0" * 64):
        assert await people["grace"].refusal("GET", f"/compute/chunks/{name}") == not_found(name)
        assert await people["olga"].refusal("GET", f"/compute/chunks/{name}") == not_found(name)
        assert (await people["grace"].ask("HEAD", f"/compute/chunks/{name}")).code == 404


async def test_a_chunk_that_is_not_what_its_name_says(people, place):
    refusal = await people["ada"].refusal("PUT", f"/compute/chunks/{'0' * 64}", b"abc")
    assert refusal == (
        422,
        "chunk_mismatch",
        f"The chunk isn't what its name says: its SHA-256 is {sha256(b'abc')}, expected was {'0' * 64}. Send it again.",
    )


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_what_is_no_hash(people, method):
    for hash in ("0" * 63, "A" * 64, "x"):
        assert await people["ada"].refusal(method, f"/compute/chunks/{hash}", b"" if method == "PUT" else None) == (
            422,
            "hash_rejected",
            f"“{hash}” is no SHA-256: give 64 hexadecimal digits in lower case.",
        )


@pytest.mark.parametrize("expect", [(), ("Expect: 100-continue",)])
async def test_what_is_too_large_is_refused_before_it_is_read(people, wire, expect):
    size = 10 * 1024 * 1024
    larger = "The body may have {} bytes here, and this one has {}; split the request into smaller ones."
    chunk = "A chunk may have {} bytes, and this one has {}. Split the input into several."
    json_body, mixed = "Content-Type: application/json", "Content-Type: multipart/mixed; boundary=edge"
    cases = [
        ("POST", "/compute/jobs", json_body, size, DESCRIPTOR_LIMIT, larger),
        ("POST", f"/compute/jobs/{'0' * 64}", json_body, DESCRIPTOR_LIMIT + 1, DESCRIPTOR_LIMIT, larger),
        ("POST", "/compute/workers", json_body, size, DESCRIPTOR_LIMIT, larger),
        ("POST", "/compute/queues", json_body, size, DESCRIPTOR_LIMIT, larger),
        ("POST", "/compute/jobs/1/priority", json_body, size, DESCRIPTOR_LIMIT, larger),
        ("POST", "/compute/jobs", mixed, PACKAGE_LIMIT + 1, PACKAGE_LIMIT, larger),
        ("PUT", f"/compute/chunks/{'0' * 64}", "", CHUNK_LIMIT + 1, CHUNK_LIMIT, chunk),
    ]
    for method, path, kind, length, limit, words in cases:
        async with wire(people["ada"]) as line:
            line.head(method, path, *([kind] if kind else []), f"Content-Length: {length}", *expect)
            status, envelope = await line.answer()
            assert (status, envelope["message"]) == (413, words.format(limit, length))
            assert envelope["error"] == ("chunk_too_large" if method == "PUT" else "body_too_large")


async def test_what_comes_without_a_length_is_counted(people, wire):
    piece = b"%x\r\n" % 65536 + b" " * 65536 + b"\r\n"
    async with wire(people["ada"]) as line:
        line.head("POST", "/compute/jobs", "Content-Type: application/json", "Transfer-Encoding: chunked")
        for _ in range(17):
            line.writer.write(piece)
        status, envelope = await line.answer()
    assert (status, envelope["error"]) == (413, "body_too_large")


async def test_a_chunk_without_a_length(people, wire):
    content = os.urandom(300_000)
    async with wire(people["ada"]) as line:
        line.head("PUT", f"/compute/chunks/{sha256(content)}", "Transfer-Encoding: chunked")
        for at in range(0, len(content), 100_000):
            line.writer.write(b"%x\r\n" % 100_000 + content[at : at + 100_000] + b"\r\n")
        line.writer.write(b"0\r\n\r\n")
        assert (await line.reader.readline()).split()[1] == b"204"
    assert (await people["ada"].ask("GET", f"/compute/chunks/{sha256(content)}")).body == content


async def test_10_mb_of_json_after_all(people):
    refusal = await people["ada"].refusal("POST", "/compute/jobs", b" " * 10_000_000)
    assert refusal[:2] == (413, "body_too_large")


# --- Packages -------------------


@pytest.mark.parametrize("named", ["X-Chunk-Hash: {}", "Content-ID: <{}>", "content-id: {}"])
async def test_an_action_with_its_chunks(people, named):
    content = named.encode() + b"\r\n--edg" * 50_000 + b"\r\n"
    other = b""
    action = {
        **hashing(content),
        "inputs": {n: {"hash": sha256(c), "size": len(c)} for n, c in zip("ab", (content, other), strict=True)},
    }
    body = package(action, content, other, named=named)
    accepted = await people.post("ada", "/compute/jobs", body, headers=MIXED)
    record = await people.end("ada", accepted["lsn"])
    assert record["result"]["value"] == {"a": sha256(content), "b": sha256(other)}


async def test_a_package_for_a_queue_and_a_batch_in_one(people):
    contents = b"for a queue", b"and another"
    token = (await people.post("ada", "/compute/queues/remote", {}, 201))["queue_token"]
    batch = {"actions": [hashing(content) for content in contents]}
    body = b"preamble\r\n" + package(batch, *contents) + b"epilogue"
    answers = await people.post("ada", f"/compute/queues/{token}/jobs", body, headers=MIXED)
    assert [sorted(answer) for answer in answers] == [["action", "lsn"]] * 2


async def test_a_worker_in_one_package(people):
    script = b"#!/bin/sh\necho packed\n"
    functions = [{"name": "packed", "version": "00000000-0000-4000-8000-000000000009"}]
    descriptor = {"name": "packed", "functions": functions, "executables": {"run": sha256(script)}}
    answer = await people.post("olga", "/compute/workers", package(descriptor, script), 201, headers=MIXED)
    action = {"function": "packed", "function_version": functions[0]["version"]}
    record = await people.end("ada", (await people.post("ada", "/compute/jobs", action))["lsn"])
    assert (record["worker"], record["result"]["log"]) == (answer["worker"], ["packed"])


async def test_a_package_that_lacks_a_chunk(people):
    contents = b"sent along", b"forgotten"
    inputs = {sha256(c)[:8]: {"hash": sha256(c), "size": len(c)} for c in contents}
    action = {"function": "hash", "function_version": HASH, "inputs": inputs}
    answer = await people.post("ada", "/compute/jobs", package(action, contents[0]), 200, headers=MIXED)
    assert answer == {"needs": [sha256(contents[1])]}
    answer = await people.post("ada", "/compute/jobs", package(action, contents[1]), headers=MIXED)
    assert sorted(answer) == ["action", "lsn"]


async def test_a_package_with_a_wrong_chunk_schedules_nothing(people):
    before = (await people["ada"].get("/compute/jobs?limit=1"))[0]["lsn"]
    body = package(noop(), b"right").replace(b"\r\n\r\nright", b"\r\n\r\nwrong")
    refusal = await people["ada"].refusal("POST", "/compute/jobs", body, headers=MIXED)
    assert refusal == (
        422,
        "chunk_mismatch",
        f"The chunk isn't what its name says: its SHA-256 is {sha256(b'wrong')}, expected was {sha256(b'right')}. "
        "Send it again.",
    )
    assert await people["ada"].get(f"/compute/jobs?after={before}") == []


END = b"--edge--\r\n"
FIRST = b"--edge\r\nContent-Type: application/json\r\n\r\n{}\r\n"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", malformed("it ends before its last part does")),
        (FIRST, malformed("it ends before its last part does")),
        (END, malformed("it has no parts")),
        (b"--edge and more\r\n\r\n{}\r\n" + END, malformed("a line with the boundary goes on after it")),
        (b"--edge" + b" " * 200, malformed("a line with the boundary goes on after it")),
        (
            b"--edge\r\nContent-Type: text/plain\r\n\r\n{}\r\n" + END,
            malformed("its first part must be application/json, and is text/plain"),
        ),
        (b"--edge\r\n: x\x00\r\n\r\n{}\r\n" + END, malformed("the headers of a part can't be read")),
        (b"--edge\r\nA: " + b"a" * 9000, malformed("the headers of a part have more than 8192 bytes")),
        (
            FIRST + b"--edge\r\n\r\ndata\r\n" + END,
            (
                422,
                "chunk_unnamed",
                "Part 2 of the package doesn't say which chunk it is; give it an X-Chunk-Hash header with the chunk's "
                "SHA-256.",
            ),
        ),
        (
            FIRST + b"--edge\r\nX-Chunk-Hash: 12\r\n\r\ndata\r\n" + END,
            (422, "hash_rejected", "“12” is no SHA-256: give 64 hexadecimal digits in lower case."),
        ),
        (
            b"--edge\r\n\r\n[" + b" " * DESCRIPTOR_LIMIT + b"]\r\n" + END,
            (
                413,
                "body_too_large",
                f"The body may have {DESCRIPTOR_LIMIT} bytes here, and this one has {DESCRIPTOR_LIMIT + 2}; "
                "split the request into smaller ones.",
            ),
        ),
        (
            FIRST + b"".join(b"--edge\r\nX-Chunk-Hash: " + b"0" * 64 + b"\r\n\r\n\r\n" for _ in range(1025)) + END,
            (
                413,
                "package_too_large",
                "A package may have 1024 chunks, and this one has more; send the others with PUT.",
            ),
        ),
        (b"--edge\r\n\r\n{\r\n" + END, (422, "not_json", None)),
    ],
    ids=range(13),
)
async def test_what_is_no_package(people, body, refusal):
    found = await people["ada"].refusal("POST", "/compute/jobs", body, headers=MIXED)
    assert found[:2] == refusal[:2]
    assert refusal[2] is None or found[2] == refusal[2]


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/mixed; boundary=", 'multipart/mixed; boundary="é"'])
async def test_a_package_without_a_boundary(people, kind):
    refusal = await people["ada"].refusal("POST", "/compute/jobs", b"--x--", headers={"Content-Type": kind})
    assert refusal == malformed("its Content-Type has no boundary")


async def test_forms_are_not_read(people):
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    assert await people["ada"].refusal("POST", "/compute/jobs", package(noop()), headers=kind) == (
        415,
        "unsupported_media_type",
        "This request's body is application/json, or multipart/mixed with it as the first part; "
        "got multipart/form-data.",
    )
    assert await people["ada"].refusal("POST", "/compute/queues", package({}), headers=MIXED) == (
        415,
        "unsupported_media_type",
        "This request's body is application/json; got multipart/mixed.",
    )
