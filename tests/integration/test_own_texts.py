# SPDX-License-Identifier: Apache-2.0
"""A server with the operator's own tags and prompt: the same scores whichever way tags arrive."""

import pytest

from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.model_options import OwnTexts
from trireel_backend.launch.ports import Ports
from trireel_client import TrireelClient

from .conftest import EXPORT, MODELS, SAMPLE

TAGS = ("a kitchen", "a beach", "a forest", "an office", "a street")
PROMPT = "a drawing of {}"


@pytest.fixture(scope="module")
def client(media, tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    (folder / "tags.txt").write_text("# places\n\n" + "\n".join(TAGS))
    options = ServerOptions(
        models=MODELS,
        export=EXPORT,
        media_root=media,
        ports=Ports.free(),
        texts=OwnTexts(tags=folder / "tags.txt", tag_prompt=PROMPT),
        log=folder / "triton.log",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        with (
            embedded_server(options) as running,
            TrireelClient(f"127.0.0.1:{running.ports.grpc}") as client,
        ):
            yield client


def scores(answer):
    return {tag.text: tag.score for tag in answer.tags}


def test_own_tags_and_free_tags_are_read_in_the_same_prompt(client):
    bank = scores(client.analyze(SAMPLE, top_k=5))
    free = scores(client.analyze(SAMPLE, top_k=5, tags=TAGS))
    steps = list(client.step(SAMPLE, top_k=5, tags=TAGS))
    assert set(bank) == set(TAGS)
    assert free == pytest.approx(bank, abs=1e-6)
    first = client.analyze(SAMPLE, top_k=5).chunks[0]
    assert scores(steps[0]) == pytest.approx(scores(first), abs=1e-6)


def test_the_server_tells_its_prompt(client):
    details = client.server_details()
    assert (details.tag_prompt, details.num_tags) == (PROMPT, len(TAGS))
    bare, prompted = client.embed_texts([TAGS[0]]), client.embed_texts([TAGS[0]], are_tags=True)
    assert abs(bare - prompted).max() > 0.01
    assert client.embed_texts([f"a drawing of {TAGS[0]}"]) == pytest.approx(prompted, abs=1e-6)
