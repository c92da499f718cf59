# SPDX-License-Identifier: Apache-2.0
"""The commands `trireel keys ...`."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.options import Database
from trireel_app.engine.database import default_url, open_database
from trireel_app.gateway.access.keys import DEFAULT_SCOPES, SCOPES, KeyRow, KeyStore
from trireel_app.jobs.tables import make_tables

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Create, list, rotate and revoke the keys of `trireel gateway`.",
)

DAY_SECONDS = 86_400.0
HOUR_SECONDS = 3600.0

KeyId = Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as the list shows it.")]
Days = Annotated[
    float | None, typer.Option(min=0.0001, help="Days after which the key ends; default: never.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]


@app.command()
def create(
    owner: Annotated[str, typer.Argument(help="Owner of the key; videos belong to owners.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCOPE",
            help=f"What the key may be used for; repeat it. {', '.join(SCOPES)}; default: all but"
            " admin.",
        ),
    ] = None,
    days: Days = None,
    note: Annotated[str, typer.Option(help="What the key is for.")] = "",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and print it: it is not shown again."""
    with errors_as_sentences():
        lasts_seconds = None if days is None else days * DAY_SECONDS
        key = _store(database).create(owner, scope or DEFAULT_SCOPES, lasts_seconds, note)
    _print_key(key, as_json)


@app.command("list")
def list_keys(database: Database = None, as_json: AsJson = False) -> None:
    """List all keys, oldest first; the keys themselves cannot be shown."""
    with errors_as_sentences():
        rows = _store(database).rows()
    now = datetime.now(UTC).timestamp()
    if as_json:
        for row in rows:
            typer.echo(json.dumps(_facts(row, now)))
        return
    table = Table("id", "owner", "scopes", "created", "ends", "note", box=None)
    for row in rows:
        facts = _facts(row, now)
        ends = facts["expires_at"] or "never"
        end = Text(ends if facts["valid"] else f"ended {ends}", "" if facts["valid"] else "dim")
        table.add_row(
            row.id, Text(row.owner), " ".join(row.scopes), facts["created_at"], end, Text(row.note)
        )
    Console().print(table)


@app.command()
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, typer.Option(min=0, help="Hours for which the old key stays valid.")
    ] = 24.0,
    days: Days = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a key with the owner and the scopes of another, which ends after an overlap."""
    with errors_as_sentences():
        lasts_seconds = None if days is None else days * DAY_SECONDS
        key = _store(database).rotate(key_id, overlap_hours * HOUR_SECONDS, lasts_seconds)
    _print_key(key, as_json)


@app.command()
def revoke(key_id: KeyId, database: Database = None) -> None:
    """End a key and its sessions at once."""
    with errors_as_sentences():
        _store(database).revoke(key_id)
    typer.echo(f"key {key_id} has ended")


def _store(database: str | None) -> KeyStore:
    opened = open_database(database or default_url())
    make_tables(opened)
    return KeyStore(opened)


def _print_key(key: str, as_json: bool) -> None:
    typer.echo(json.dumps({"key": key}) if as_json else key)
    if not as_json:
        typer.echo("trireel: keep it, it is not shown again", err=True)


def _facts(row: KeyRow, now: float) -> dict[str, Any]:
    return {
        "id": row.id,
        "owner": row.owner,
        "note": row.note,
        "scopes": row.scopes,
        "created_at": _time(row.created_at),
        "expires_at": None if row.expires_at is None else _time(row.expires_at),
        "valid": row.is_valid(now),
        "replaced_by": row.replaced_by,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
