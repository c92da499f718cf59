# SPDX-License-Identifier: Apache-2.0
"""What stands before every route: hosts, headers, sizes, faults and their answers."""

import pytest
from starlette.routing import Route
from support.gateway import gateway_app

ERROR_FIELDS = {"status", "kind", "message"}


async def test_every_error_has_the_one_shape(gateway):
    async with gateway.client() as client:
        answers = [
            await client.get("/nothing/here"),
            await client.get("/v1/videos/xyz"),
            await client.get("/v1/videos?limit=0"),
            await client.put("/v1/session"),
            await client.get("/healthz", headers={"Host": "evil.example"}),
            await client.post("/v1/session", content=b"{" * (2 << 20)),
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 422, 405, 400, 413]
    for answer in answers:
        error = answer.json()["error"]
        assert set(error) == ERROR_FIELDS
        assert error["status"] == answer.status_code


async def test_a_fault_shows_no_traceback(gateway, caplog):
    def fault(request):
        raise RuntimeError("the password is 1234")

    gateway.app.router.routes.insert(0, Route("/v1/fault", fault))  # before the page's files
    async with gateway.client() as client:
        answer = await client.get("/v1/fault")
    assert answer.status_code == 500
    assert answer.json()["error"]["message"] == "internal error"
    assert "1234" not in answer.text
    assert "1234" in caplog.text


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/v1/videos", "/v1/openapi.json"])
async def test_every_answer_has_security_headers(gateway, path):
    async with gateway.client() as client:
        headers = (await client.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    if path.startswith("/v1"):
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        ("LOCALHOST", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("localhost@evil.example", 400),
        ("localhost:80:80", 400),
    ],
)
async def test_only_known_hosts_are_answered(gateway, host, status):
    async with gateway.client() as client:
        assert (await client.get("/healthz", headers={"Host": host})).status_code == status


async def test_other_sites_may_not_read_by_default(gateway):
    async with gateway.client() as client:
        headers = {"Origin": "https://example.com"}
        answer = await client.get("/v1/videos", headers=headers)
        assert "access-control-allow-origin" not in answer.headers


async def test_a_configured_site_may_read_without_cookies(tmp_path):
    site = "https://example.com"
    async with gateway_app(tmp_path, origins=(site,)) as gateway, gateway.client() as client:
        allowed = await client.get("/v1/videos", headers={"Origin": site})
        other = await client.get("/v1/videos", headers={"Origin": "https://evil.example"})
    assert allowed.headers["access-control-allow-origin"] == site
    assert "access-control-allow-credentials" not in allowed.headers
    assert "access-control-allow-origin" not in other.headers


async def test_behind_tls_browsers_stay_with_tls(tmp_path):
    async with gateway_app(tmp_path, is_secure=True) as gateway, gateway.client() as client:
        answer = await client.post("/v1/session", json={"key": gateway.key})
    assert "max-age" in answer.headers["strict-transport-security"]
    assert "Secure" in answer.headers["set-cookie"]
