"""An encoder is found on this machine by folder, file or name, in a fixed order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from multimodal_sentiment.encoders import (
    EncoderError,
    EncoderStore,
    MissingEncoderError,
    references,
)

NAME, COMMIT, OTHER = "lab/tiny", "0123456789abcdef0123456789abcdef01234567", "f" * 40


def put(folder: Path, value: int = 0) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    save_file({"weights": np.full(9, value)}, folder / "model.safetensors")
    return folder


def test_a_local_folder_comes_before_a_name(hub: Any, store: EncoderStore, tmp_path: Path) -> None:
    store.fetch(NAME, hub.url)
    local = put(tmp_path / "project" / NAME)

    found = store.find(NAME)
    assert (found.path, found.revision) == (local, None)
    assert str(found) == "lab/tiny from the local folder"
    assert store.find(str(local)).path == local
    assert store.find(f"{NAME}/model.safetensors").path == local / "model.safetensors"


def test_relative_paths_mean_the_project(
    store: EncoderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "project" / "own")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert store.find("own").path == tmp_path / "project" / "own"


def test_the_store_comes_before_the_hubs_cache(hub: Any, store: EncoderStore) -> None:
    fetched = store.fetch(NAME, hub.url)

    assert store.find(NAME) == fetched
    with pytest.raises(MissingEncoderError):
        store.find(f"{NAME}@{OTHER}")


CACHED = """
import sys
from pathlib import Path
from multimodal_sentiment.encoders import EncoderStore
encoder = EncoderStore(Path("store"), Path("project")).find(sys.argv[1])
print(encoder, encoder.path)
"""


def test_the_hubs_own_cache_is_used(tmp_path: Path) -> None:
    repository = tmp_path / "cache" / "models--lab--tiny"
    snapshot = put(repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)

    def find(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", CACHED, name],
            cwd=tmp_path,
            env={
                "PYTHONPATH": str(Path(references.__file__).parents[2]),
                "HF_HUB_CACHE": str(tmp_path / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    words = f"lab/tiny 01234567 from the hub's own cache {snapshot}\n"
    assert find(NAME).stdout == find(f"{NAME}@{COMMIT}").stdout == words
    assert "not in store" in find(f"{NAME}@{OTHER}").stderr
    (snapshot / "config.json").unlink()
    assert "not in store" in find(NAME).stderr


def test_a_branch_is_what_it_meant_when_it_was_last_fetched(hub: Any, store: EncoderStore) -> None:
    older = store.fetch(NAME, hub.url).path
    newer = older.with_name(OTHER)
    put(newer)
    record = json.loads((older / "encoder.json").read_text())
    record |= {"revision": OTHER, "asked": {"main": "2999-01-01T00:00:00+00:00"}}
    (newer / "encoder.json").write_text(json.dumps(record))

    assert store.find(NAME).revision == OTHER
    assert store.find(f"{NAME}@{COMMIT}").revision == COMMIT


def test_a_commit_is_found_by_each_name_that_it_was_fetched_by(
    hub: Any, store: EncoderStore
) -> None:
    main = store.fetch(NAME, hub.url)
    record = json.loads((main.path / "encoder.json").read_text())
    record |= {"asked": "main", "fetched": "2020-01-01T00:00:00+00:00"}  # as 0.1 wrote it
    (main.path / "encoder.json").write_text(json.dumps(record))
    tagged = store.fetch(f"{NAME}@v1", hub.url)

    assert store.find(NAME).path == store.find(f"{NAME}@v1").path == tagged.path == main.path


def test_a_folder_without_its_record_is_no_encoder(hub: Any, store: EncoderStore) -> None:
    encoder = store.fetch(NAME, hub.url)
    os.remove(encoder.path / "encoder.json")

    with pytest.raises(MissingEncoderError):
        store.find(NAME)


@pytest.mark.parametrize(
    "name",
    ["data/no/such/place", "/no/such/place", "a b", "x@", "../x", "a--b", "~nobody/x", "x" * 99],
)
def test_what_can_be_no_name_is_said_to_be_missing_as_a_path(
    store: EncoderStore, name: str
) -> None:
    with pytest.raises(EncoderError, match=r"no folder or file .*name one that exists") as caught:
        store.find(name)
    assert not isinstance(caught.value, MissingEncoderError)


def test_published_names_are_pinned_unless_a_revision_is_asked_for() -> None:
    by_name = {known.name: known for known in references.PUBLISHED}
    for known in by_name.values():
        assert references.parse(known.name) == references.parse(str(known)) == known
        assert known.is_pinned or known.package
        other = references.parse(f"{known.name}@refs/pr/1")
        assert other is not None
        assert (other.repository, other.revision, other.sha256) == (
            known.repository,
            "refs/pr/1",
            None,
        )
    long = references.parse("google-bert/bert-base-uncased")
    assert long is not None
    assert long.revision == by_name["bert-base-uncased"].revision


def test_an_encoder_is_another_if_what_lies_beside_its_weights_is(
    store: EncoderStore, tmp_path: Path
) -> None:
    folder = put(tmp_path / "project" / "own")
    identities = [store.find("own").identify()]
    for name, content in [
        ("tokenizer.json", "{}"),
        ("tokenizer.json", "[]"),
        ("config.json", '{"model_type": "roberta"}'),
        ("README.md", "Not read by any model."),
    ]:
        (folder / name).write_text(content)
        identities.append(store.find("own").identify())

    assert len({identity["sha256"] for identity in identities}) == 1
    settings = [identity["settings_sha256"] for identity in identities]
    assert len(set(settings)) == 4
    assert settings[-1] == settings[-2]
    alone = store.find("own/model.safetensors").identify()
    assert alone == identities[0] | {
        "name": "own/model.safetensors",
        "source": "the local file",
        "settings_sha256": None,
    }


def test_pickles_are_never_loaded(store: EncoderStore, tmp_path: Path) -> None:
    path = tmp_path / "project" / "resnet50.pth"
    path.write_bytes(b"\x80\x04")

    with pytest.raises(EncoderError, match="no safetensors file: pickles are never loaded"):
        store.find("resnet50.pth")
