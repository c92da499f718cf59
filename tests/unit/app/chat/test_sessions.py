# SPDX-License-Identifier: Apache-2.0
"""Sessions in a real SQLite: bounded, an owner's own, and gone with their videos."""

import time

import pytest

from trireel_app.chat.answers import Answer, Mode
from trireel_app.chat.citations import Citation
from trireel_app.chat.limits import ChatLimits
from trireel_app.chat.sessions import ChatSessions, history_of
from trireel_app.engine.database import open_database
from trireel_app.errors import NoSession, SessionSpent
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.uploads import UploadRow, Uploads, UploadState, new_id

CITATION = Citation("v", "a.mp4", 1.0, 2.0, 1.5, "[a.mp4 00:01.500]")


@pytest.fixture
def database(tmp_path):
    database = open_database(str(tmp_path / "chat.sqlite"))
    JobStore(database)  # makes all tables
    yield database
    database.dispose()


@pytest.fixture
def uploads(database):
    return Uploads(database)


@pytest.fixture
def sessions(database):
    return ChatSessions(database)


def video(uploads, owner="anna"):
    row = UploadRow(
        id=new_id(),
        owner=owner,
        name="a.mp4",
        uri="/a.mp4",
        state=UploadState.DONE,
        created_at=time.time(),
    )
    uploads.add(row)
    return row.id


def answer(*videos, **changes):
    values = {
        "text": "Ja, “ö” [a.mp4 00:01.500]",
        "citations": (CITATION,),
        "removed": ("[x 00:00.000]",),
        "backend": "words",
        "mode": Mode.MODEL,
        "prompt_tokens": 100,
        "answer_tokens": 10,
        "videos": videos,
    }
    return Answer(**{**values, **changes})


def test_a_turn_is_read_as_it_was_kept(sessions, uploads):
    kept = answer(video(uploads))
    session = sessions.keep("anna", None, "Wer?", kept)
    assert sessions.keep("anna", session, "Und wann?", kept) == session
    first, second = sessions.turns("anna", session)
    assert (first.question, first.answer) == ("Wer?", kept)
    assert second.question == "Und wann?"
    assert [turn.content for turn in history_of([first])] == ["Wer?", kept.text]
    (listed,) = sessions.page("anna")
    assert (listed.id, listed.title, listed.tokens) == (session, "Wer?", 220)
    assert listed == sessions.session("anna", session)


def test_a_session_is_its_owners_alone(sessions, uploads):
    session = sessions.keep("anna", None, "Wer?", answer(video(uploads)))
    assert sessions.page("ben") == []
    for call in (
        lambda: sessions.session("ben", session),
        lambda: sessions.turns("ben", session),
        lambda: sessions.remove("ben", session),
        lambda: sessions.keep("ben", session, "Wer?", answer()),
    ):
        with pytest.raises(NoSession):
            call()
    sessions.remove("anna", session)
    with pytest.raises(NoSession):
        sessions.turns("anna", session)


def test_the_oldest_turns_and_sessions_go(database):
    sessions = ChatSessions(database, ChatLimits(sessions=2, session_turns=3))
    ids = [sessions.keep("anna", None, f"{number}?", answer()) for number in range(3)]
    assert {session.id for session in sessions.page("anna")} == set(ids[1:])
    sessions.keep("ben", None, "Mine?", answer())
    for number in range(4):
        sessions.keep("anna", ids[2], f"and {number}?", answer())
    assert [turn.question for turn in sessions.turns("anna", ids[2])] == [
        "and 1?",
        "and 2?",
        "and 3?",
    ]
    assert len(sessions.page("anna")) == 2


def test_a_session_that_is_spent_is_ended(sessions):
    limits = ChatLimits()
    largest = limits.session_tokens - limits.prompt_tokens - limits.answer_tokens
    session = sessions.keep("anna", None, "Wer?", answer(prompt_tokens=largest, answer_tokens=0))
    sessions.check_budget(sessions.session("anna", session))
    sessions.keep("anna", session, "Wer?", answer(prompt_tokens=1, answer_tokens=0))
    with pytest.raises(SessionSpent, match="begin another"):
        sessions.check_budget(sessions.session("anna", session))


def test_a_removed_video_takes_what_was_said_of_it(sessions, uploads, database):
    one, two = video(uploads), video(uploads)
    about_one = sessions.keep("anna", None, "One?", answer(one), video_id=one)
    only_one = sessions.keep("anna", None, "Only one?", answer(one))
    mixed = sessions.keep("anna", None, "Both?", answer(one, two))
    sessions.keep("anna", mixed, "Two?", answer(two))
    nothing = sessions.keep("anna", None, "Nothing?", answer())
    uploads.forget(one)
    assert {session.id for session in sessions.page("anna")} == {mixed, nothing}
    assert [turn.question for turn in sessions.turns("anna", mixed)] == ["Two?"]
    for gone in (about_one, only_one):
        with pytest.raises(NoSession):
            sessions.session("anna", gone)
    with database.connect() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM trireel_chat_turn_videos")
        assert rows.scalar() == 1


def test_nothing_is_kept_of_a_video_that_was_removed_meanwhile(sessions, uploads):
    one, foreign = video(uploads), video(uploads, "ben")
    session = sessions.keep("anna", None, "One?", answer(one))
    two = video(uploads)
    uploads.forget(two)
    assert sessions.keep("anna", session, "Two?", answer(one, two)) == session
    assert sessions.keep("anna", None, "Two?", answer(two)) is None
    assert sessions.keep("anna", None, "Two?", answer(), video_id=two) is None
    assert sessions.keep("anna", None, "Ben's?", answer(foreign)) is None
    assert [turn.question for turn in sessions.turns("anna", session)] == ["One?"]
    assert len(sessions.page("anna")) == 1
