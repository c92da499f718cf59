# SPDX-License-Identifier: Apache-2.0
"""The operator's own tags and descriptions."""

import numpy as np
import pytest
from support.repository import EXPORT

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.errors import StartupError
from trireel_backend.launch import own_texts
from trireel_backend.launch.model_options import OwnTexts
from trireel_backend.launch.own_texts import export_with_texts


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/trireel/banks"


def bank_of(folder):
    return load_text_bank(folder / "text_bank.npz", load_metadata(folder / "metadata.json"))


def made(folder, told=None, **texts):
    report = (lambda sentence: None) if told is None else told.append
    return export_with_texts(OwnTexts(**texts), EXPORT, folder, report)


def listed(path, *lines):
    path.write_text("\n".join(lines))
    return path


def test_without_own_texts_the_export_is_used_itself(tmp_path):
    assert made(tmp_path / "export") == EXPORT


def test_the_exports_own_texts_get_the_embeddings_of_the_export(tmp_path):
    tags = listed(tmp_path / "tags.txt", "# places", *bank_of(EXPORT).tags.texts)
    bank, own = bank_of(made(tmp_path / "export", tags=tags)), bank_of(EXPORT)
    assert (bank.tags.texts, bank.descriptions.texts) == (own.tags.texts, own.descriptions.texts)
    np.testing.assert_allclose(bank.tags.embeddings, own.tags.embeddings, atol=1e-5)
    np.testing.assert_allclose(bank.descriptions.embeddings, own.descriptions.embeddings, atol=1e-5)


def test_repeated_and_long_texts_are_told(tmp_path):
    long_text = "a very long sentence " * 40
    told = []
    made(tmp_path / "export", told, descriptions=listed(tmp_path / "d", "a", "A", long_text))
    repeated, cut = told
    assert repeated.endswith("line 2 says the same as line 1, 'A': it is left out")
    assert cut.startswith("the text 'a very long sentence")
    assert "more than the 64 tokens" in cut


def test_a_prompt_is_kept_in_the_metadata_and_shapes_tags_alone(tmp_path):
    folder = made(tmp_path / "export", tag_prompt="a drawing of a {}")
    assert load_metadata(folder / "metadata.json").tag_prompt == "a drawing of a {}"
    bank, own = bank_of(folder), bank_of(EXPORT)
    assert abs(bank.tags.embeddings - own.tags.embeddings).max() > 0.01
    np.testing.assert_allclose(bank.descriptions.embeddings, own.descriptions.embeddings, atol=1e-5)


def test_a_bank_is_embedded_once(tmp_path, cache, monkeypatch):
    tags = listed(tmp_path / "tags", "a zebra crossing")
    first = bank_of(made(tmp_path / "first", tags=tags))
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(own_texts, "_embeddings", None)
    again = bank_of(made(tmp_path / "again", tags=tags))
    np.testing.assert_array_equal(first.tags.embeddings, again.tags.embeddings)


def test_the_cache_keeps_the_newest_banks(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(own_texts, "KEPT_BANKS", 2)
    for number in range(3):
        made(tmp_path / f"{number}", tags=listed(tmp_path / "tags", f"tag {number}"))
    assert len(list(cache.iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(listed(tmp_path / "file", "no folder")))
    bank = bank_of(made(tmp_path / "export", tags=listed(tmp_path / "tags", "a tram")))
    assert bank.tags.texts == ("a tram",)


def test_a_list_or_a_prompt_that_cannot_be_used_is_rejected(tmp_path):
    with pytest.raises(StartupError, match="there is no file"):
        made(tmp_path / "1", tags=tmp_path / "none")
    with pytest.raises(StartupError, match="holds no texts"):
        made(tmp_path / "2", tags=listed(tmp_path / "tags", "# nothing"))
    with pytest.raises(StartupError, match="the prompt is 'a photo'"):
        made(tmp_path / "3", tag_prompt="a photo")
