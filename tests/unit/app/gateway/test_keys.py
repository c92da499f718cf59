# SPDX-License-Identifier: Apache-2.0
"""Keys: kept as hashes, with scopes, an end, rotation; and the page's session by cookie."""

import json
import sqlite3
import time

import pytest
from support.gateway import ORIGIN, gateway_app, gateway_settings, stored_video
from typer.testing import CliRunner

from trireel_app.commands.keys import app as keys_app
from trireel_app.gateway.access.keys import id_of
from trireel_app.gateway.access.sessions import Sessions


def with_key(key):
    return {"Authorization": f"Bearer {key}"}


async def status_of(gateway, key):
    async with gateway.client(key) as client:
        return (await client.get("/v1/session")).status_code


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer trk_"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer trk_000000000000_" + "A" * 43},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Cookie": "trireel_session=abc.def.ghi"},
        {"Cookie": "trireel_session=\"'; DROP TABLE trireel_keys; --"},
    ],
)
async def test_without_a_valid_key_nothing_is_told(gateway, header):
    video = stored_video(gateway.parts)
    async with gateway.client(None) as client:
        for path in ("", f"/{video}", f"/{video}/result", f"/{video}/file"):
            answer = await client.get(f"/v1/videos{path}", headers=header)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert video not in answer.text


async def test_a_key_with_one_wrong_letter_is_not_valid(gateway):
    key = gateway.key
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert await status_of(gateway, key) == 200
    assert await status_of(gateway, wrong) == 401


async def test_another_owners_video_is_not_there(gateway):
    video = stored_video(gateway.parts)
    async with gateway.client(gateway.other_key) as client:
        statuses = {
            (await client.get(f"/v1/videos/{video}{path}")).status_code
            for path in ("", "/result", "/file", "/thumbnail", "/frames", "/exports/scenes.csv")
        }
        statuses.add((await client.delete(f"/v1/videos/{video}")).status_code)
        tags = await client.post(f"/v1/videos/{video}/tags", json={"tags": ["a"]})
        statuses.add(tags.status_code)
        listed = (await client.get("/v1/videos")).json()["videos"]
    assert statuses == {404}
    assert listed == []
    assert gateway.parts.uploads.find("anna", video) is not None


async def test_a_scope_that_is_missing_is_named(gateway):
    video = stored_video(gateway.parts)
    key = gateway.parts.keys.create("anna", ["videos:read"])
    async with gateway.client(key) as client:
        assert (await client.get(f"/v1/videos/{video}")).status_code == 200
        answer = await client.delete(f"/v1/videos/{video}")
        search = await client.get("/v1/search?q=a")
    assert answer.status_code == search.status_code == 403
    assert "videos:write" in answer.json()["error"]["message"]


async def test_a_key_ends_at_its_time(gateway):
    keys = gateway.parts.keys
    assert await status_of(gateway, keys.create("anna", lasts_seconds=3600)) == 200
    assert await status_of(gateway, keys.create("anna", lasts_seconds=0)) == 401


async def test_a_rotated_key_sees_the_same_videos(gateway):
    video = stored_video(gateway.parts)
    second = gateway.parts.keys.rotate(id_of(gateway.key), overlap_seconds=3600)
    async with gateway.client(second) as client:
        assert (await client.get(f"/v1/videos/{video}")).status_code == 200
    assert await status_of(gateway, gateway.key) == 200
    third = gateway.parts.keys.rotate(id_of(second), overlap_seconds=0)
    assert await status_of(gateway, second) == 401
    assert await status_of(gateway, third) == 200
    row = gateway.parts.keys.row(id_of(gateway.key))
    assert row.replaced_by == id_of(second)
    assert row.expires_at <= time.time() + 3600


def test_the_database_holds_no_key(tmp_path):
    database = str(tmp_path / "jobs.sqlite")
    made = CliRunner().invoke(keys_app, ["create", "anna", "--database", database, "--days", "1"])
    key = made.stdout.strip()
    assert made.exit_code == 0
    assert key.startswith("trk_")
    connection = sqlite3.connect(database)
    rows = str(connection.execute("SELECT * FROM trireel_keys").fetchall())
    connection.close()
    assert id_of(key) in rows
    assert key.split("_", 2)[2] not in rows
    listed = CliRunner().invoke(keys_app, ["list", "--database", database, "--json"])
    facts = json.loads(listed.stdout)
    assert (facts["id"], facts["owner"], facts["valid"]) == (id_of(key), "anna", True)
    assert key not in listed.stdout


def test_commands_rotate_and_revoke_keys(tmp_path):
    place = ["--database", str(tmp_path / "jobs.sqlite")]

    def run(*arguments, status=0):
        done = CliRunner().invoke(keys_app, [*arguments, *place])
        assert done.exit_code == status, done.output
        return done

    old = id_of(run("create", "anna", "--scope", "search").stdout.strip())
    new = id_of(run("rotate", old, "--overlap-hours", "0").stdout.strip())
    run("revoke", new)
    rows = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert [(row["id"], row["valid"], row["replaced_by"]) for row in rows] == [
        (old, False, new),
        (new, False, None),
    ]
    assert "anna" in run("list").stdout
    assert "scopes" in run("create", "anna", "--scope", "root", status=2).stderr
    assert "owner" in run("create", "../anna", status=2).stderr
    run("rotate", old, status=2)
    run("revoke", "000000000000", status=2)


async def test_a_page_works_by_a_cookie_that_scripts_cannot_read(gateway):
    video = stored_video(gateway.parts)
    async with gateway.client(None) as client:
        assert (await client.post("/v1/session", json={"key": "trk_x"})).status_code == 401
        begun = await client.post("/v1/session", json={"key": gateway.key})
        cookie = begun.headers["set-cookie"]
        assert begun.json()["owner"] == "anna"
        assert gateway.key not in begun.text + cookie
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
        assert (await client.get(f"/v1/videos/{video}")).status_code == 200
        assert (await client.get("/v1/session")).json()["owner"] == "anna"
        assert (await client.delete("/v1/session")).status_code == 204
        assert (await client.get("/v1/session")).status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (ORIGIN, 204),
        (None, 403),
        ("null", 403),
        ("https://evil.example", 403),
        ("http://127.0.0.1:8081", 403),
        ("http://127.0.0.1:8080.evil.example", 403),
    ],
)
async def test_a_change_by_cookie_needs_the_own_page(gateway, origin, status):
    video = stored_video(gateway.parts)
    async with gateway.client(None) as client:
        await client.post("/v1/session", json={"key": gateway.key})
        headers = {} if origin is None else {"Origin": origin}
        answer = await client.delete(f"/v1/videos/{video}", headers=headers)
        assert answer.status_code == status


async def test_another_site_cannot_begin_a_session(gateway):
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with gateway.client(None) as client:
        answer = await client.post("/v1/session", json={"key": gateway.key}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_session_ends_with_its_key_and_its_time(gateway):
    async with gateway.client(None) as client:
        await client.post("/v1/session", json={"key": gateway.key})
        assert (await client.get("/v1/session")).status_code == 200
        gateway.parts.keys.revoke(id_of(gateway.key))
        assert (await client.get("/v1/session")).status_code == 401
    ended = Sessions("secret", lasts_seconds=-1)
    lasting = Sessions("secret", lasts_seconds=60)
    assert lasting.key_id(lasting.cookie("abc"))[0] == "abc"
    assert ended.key_id(ended.cookie("abc")) is None
    assert Sessions("other", 60).key_id(lasting.cookie("abc")) is None


async def test_gateways_of_one_database_know_each_others_sessions(tmp_path):
    async with gateway_app(tmp_path) as first, gateway_app(tmp_path) as second:
        async with first.client(None) as client:
            begun = await client.post("/v1/session", json={"key": first.key})
        cookie = begun.cookies["trireel_session"]
        async with second.client(None, cookies={"trireel_session": cookie}) as client:
            assert (await client.get("/v1/session")).status_code == 200


async def test_the_audit_log_says_who_did_it_without_secrets(tmp_path):
    settings = gateway_settings(tmp_path)
    async with gateway_app(tmp_path) as gateway:
        video = stored_video(gateway.parts)
        async with gateway.client() as client:
            await client.delete(f"/v1/videos/{video}?token=hidden")
        async with gateway.client("trk_wrong") as client:
            await client.get("/v1/videos")
        async with gateway.client(None) as client:
            await client.post("/v1/session", json={"key": gateway.key})
    text = settings.audit_file.read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert [(event["event"], event["status"]) for event in events] == [
        ("change", 204),
        ("rejected", 401),
        ("change", 200),
    ]
    assert (events[0]["owner"], events[0]["key"]) == ("anna", id_of(gateway.key))
    assert events[0]["path"] == f"/v1/videos/{video}"
    assert events[2]["owner"] == "anna"
    assert gateway.key.split("_", 2)[2] not in text
    assert "hidden" not in text
    assert settings.audit_file.stat().st_mode & 0o077 == 0
