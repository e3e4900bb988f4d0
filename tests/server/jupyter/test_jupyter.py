"""The API inside a Jupyter server that lets nobody in without authentication."""

import json

import pytest

NOT_SIGNED_IN = (
    401,
    "not_signed_in",
    "This request carries no token that the lab knows; send one as `Authorization: token …` or `X-API-Key: …`.",
)


async def test_the_servers_token_counts_as_api_key(server, fpga):
    assert await server.get("/fpga") == []
    assert (await server.ask("POST", "/fpga/0/reset")).code == 202
    assert [call[0] for call in fpga.calls] == ["boards", "reset"]


async def test_the_person_is_the_one_local_owner_with_every_role(server, fpga, monkeypatch):
    await server.get("/fpga")
    await server.get("/fpga")
    first, second = (call[1] for call in fpga.calls)
    assert first == second
    assert first.roles == {"student", "teacher", "operator", "grader"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/fpga"),
        ("POST", "/submit"),
        ("POST", "/fpga/0/run"),
        ("DELETE", "/jobs/0b9d9a4e-6f0e-4c8b-9d5c-2d0e7f1c8a11"),
        ("GET", "/nothing"),
        ("GET", "/events"),
        ("GET", "/fpga/0/stream"),
        ("GET", "/fpga/0/session/etherbone"),
        ("POST", "/fpga/0/session/etherbone"),
    ],
)
async def test_without_a_token_nothing_is_asked(server, fpga, method, path):
    assert await server.refusal(method, path, token="") == NOT_SIGNED_IN
    assert await server.refusal(method, path, token="wrong") == NOT_SIGNED_IN
    assert fpga.calls == []


@pytest.mark.parametrize("path", ["/health", "/version"])
async def test_health_and_version_are_for_everybody(server, path):
    assert (await server.get(path, token=""))["version"] == "1"


async def cookies_of_a_page(server, jp_base_url) -> tuple[str, str]:
    """The cookies of a browser that has opened a page with the token in its address, and the value of ``_xsrf``."""
    origin = server.url.partition(jp_base_url)[0]
    page = type(server)(origin + jp_base_url, "")
    response = await page.ask("GET", f"api/status?token={server.token}")
    await page.close()
    cookies = [header.partition(";")[0] for header in response.headers.get_list("Set-Cookie")]
    login = next(cookie for cookie in cookies if cookie.startswith("username-"))
    response = await server.ask("GET", "/fpga", token="", headers={"Cookie": login})
    assert response.code == 200
    return login, "2|abcdef01|0123456789abcdef0123456789abcdef|1700000000"


async def test_a_page_needs_its_xsrf_token_to_write(server, fpga, jp_base_url):
    login, xsrf = await cookies_of_a_page(server, jp_base_url)
    headers = {"Cookie": f"{login}; _xsrf={xsrf}"}
    assert await server.refusal("POST", "/fpga/0/reset", token="", headers=headers) == (
        403,
        "forbidden",
        "The server refused this request; a write from a page needs the X-XSRFToken header with its cookie's value.",
    )
    response = await server.ask("POST", "/fpga/0/reset", token="", headers={**headers, "X-XSRFToken": xsrf})
    assert response.code == 202
    assert [call[0] for call in fpga.calls] == ["boards", "reset"]


async def test_the_servers_authorizer_is_asked(server, fpga, jp_serverapp, monkeypatch):
    asked = []

    def is_authorized(handler, user, action, resource):
        asked.append((action, resource))
        return action == "read"

    monkeypatch.setattr(jp_serverapp.web_app.settings["authorizer"], "is_authorized", is_authorized)
    await server.get("/fpga")
    assert await server.refusal("POST", "/fpga/0/reset") == (
        403,
        "not_authorized",
        "This server doesn't allow you to write its FPGA lab; ask whoever runs it.",
    )
    headers = {"Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    assert await server.refusal("GET", "/events", headers=headers) == (
        403,
        "not_authorized",
        "This server doesn't allow you to execute its FPGA lab; ask whoever runs it.",
    )
    assert asked == [("read", "fpga"), ("write", "fpga"), ("execute", "fpga")]
    assert [call[0] for call in fpga.calls] == ["boards"]


async def test_sockets(server, fpga):
    fpga.frames.put_nowait({"lsn": 7})
    events = await server.socket("/events?since=7")
    assert json.loads(await events.read_message()) == {"lsn": 7}
    stream = await server.socket("/fpga/0/stream")
    await stream.write_message('{"op": "read"}')
    _, answer = await fpga.stream.requests.get()
    answer.set_result({"data": [1]})
    assert json.loads(await stream.read_message()) == {"ok": True, "data": [1]}
    packets = await server.socket("/fpga/0/session/etherbone")
    await packets.write_message(b"packet", binary=True)
    asked, answer = await fpga.path.requests.get()
    answer.set_result(b"answer to " + asked)
    assert await packets.read_message() == b"answer to packet"
    # Beside the WebSocket, on the same path.
    response = await server.ask("POST", "/fpga/0/session/etherbone")
    assert json.loads(response.body) == {"host": "127.0.0.1", "port": 1234}
    events.close()
    stream.close()
    packets.close()
    await fpga.path.given_back.wait()
    await fpga.events_closed.wait()
    await fpga.stream.given_back.wait()


async def test_answers_keep_their_kind(server):
    job = "/jobs/0b9d9a4e-6f0e-4c8b-9d5c-2d0e7f1c8a11"
    response = await server.ask("GET", f"{job}/logs")
    assert (response.headers["Content-Type"], response.body) == ("text/plain; charset=utf-8", b"one\ntwo\n")
    response = await server.ask("GET", f"{job}/artifacts/bitstream")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert len(response.body) == 600_000
    assert (await server.ask("DELETE", job)).code == 204
    assert (await server.ask("GET", "/metrics")).headers["Content-Type"].startswith("text/plain")


async def test_refusals_are_envelopes(server, fpga):
    fpga.answers["boards"] = RuntimeError("inside")
    assert (await server.refusal("GET", "/fpga"))[:2] == (500, "internal_error")
    assert (await server.refusal("GET", "/nothing"))[:2] == (404, "not_found")
    assert (await server.refusal("GET", ""))[:2] == (404, "not_found")
    assert (await server.refusal("PUT", "/fpga"))[:2] == (405, "method_not_allowed")
    assert (await server.refusal("GET", "/fpga/x"))[:2] == (404, "fpga_not_found")
    assert (await server.refusal("GET", "/jobs?limit=0"))[:2] == (422, "invalid_request")
    body = b"#" * (9 * 1024 * 1024)
    headers = {"Content-Type": "multipart/form-data; boundary=e"}
    assert (await server.refusal("POST", "/submit", body, headers=headers))[:2] == (413, "design_too_large")


async def test_a_browsers_question_before_a_cross_site_request_is_answered(server):
    response = await server.ask("OPTIONS", "/fpga", token="")
    assert response.code == 200
    assert "Access-Control-Allow-Methods" in response.headers


async def test_every_handler_says_whom_it_lets_in(jp_serverapp):
    """The server warns of handlers that are neither authenticated nor marked as public."""
    from jupyter_fpga.server.jupyter import jupyter_handlers

    for _, handler, _ in jupyter_handlers(None, "/", "jupyter-fpga"):
        assert jp_serverapp.web_app._check_handler_auth("", handler) == []
