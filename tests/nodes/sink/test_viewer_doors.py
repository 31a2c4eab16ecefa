"""sink.viewer: who may look, and where it listens."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from viewer_page import aiohttp, page, plan, running

from rtgraph import GraphError, RtGraphError
from rtgraph.scheduler import Runner


def test_strangers_are_turned_away(head):
    token = "0123456789abcdef"

    async def status(url, **headers):
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            return response.status

    async def visit(url, secret):
        assert await status(url) == 200
        assert await status(f"{url}socket", Origin="http://elsewhere.example") == 403
        assert await status(url, Host="elsewhere.example") == 403
        bare = secret.partition("?")[0]
        for place in ("", "head.glb", "socket", "viewer.js", "?token=0123456789abcdeF"):
            assert await status(f"{bare}{place}") == 403
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(secret) as response:
                assert response.status == 200
            async with session.get(f"{bare}viewer.js") as response:  # the cookie opens the rest
                assert response.status == 200
        async with page(secret) as a:
            assert (await a.message())[0] == 1

    with running(head) as (_, url), running(head, token=token, host="0.0.0.0") as (_, secret):
        assert secret.endswith(f"?token={token}")
        asyncio.run(visit(url, secret.replace("0.0.0.0", "127.0.0.1")))


@pytest.mark.parametrize(("config", "message"), [({"host": "0.0.0.0"}, "token"), ({"token": "short"}, "16")])
def test_an_open_door_needs_a_good_lock(head, config, message):
    with pytest.raises(GraphError, match=message):
        plan(head, **config)


def test_a_port_in_use_is_said_with_the_remedy(head):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RtGraphError, match=rf"127.0.0.1:{port}: that port is in use; set `port`"):
            Runner(plan(head, port=port)).open()
    assert not any(t.name == "viewer" for t in threading.enumerate())


def refusal(made):
    """What opening a plan raises; None where it takes for ever."""
    raised = []

    def opening():
        with pytest.raises(RtGraphError) as found:
            Runner(made).open()
        raised.append(str(found.value))

    thread = threading.Thread(target=opening, daemon=True)
    thread.start()
    thread.join(20)
    return raised[0] if raised else None


def test_a_server_that_cannot_start_is_told(head, tmp_path, monkeypatch):
    """Whatever keeps it from it: `open` neither waits for ever nor names port 0."""
    unknown = refusal(plan(head, host="a..b", token="0123456789abcdef"))
    assert unknown.startswith("the host 'a..b' is not known")

    async def start(self):
        raise ValueError("not today")

    with monkeypatch.context() as patch:
        patch.setattr(aiohttp.web.TCPSite, "start", start)
        assert "cannot serve the viewer on 127.0.0.1:0: ValueError: not today" in refusal(plan(head))
    monkeypatch.setattr("rtgraph.nodes.sink.viewer.bundled", lambda folder: tmp_path / folder)
    assert refusal(plan(head)).startswith(f"there is no page in {tmp_path}/viewer/dist")
