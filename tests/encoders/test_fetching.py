"""Encoders come whole, or not at all, whatever the hub does."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.numpy import save

from multimodal_sentiment.encoders import EncoderStore, MissingEncoderError, references
from multimodal_sentiment.fingerprint import fingerprint_encoding, fingerprint_training

NAME, COMMIT = "lab/tiny", "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = "model.safetensors"
WANTED = {"config.json", "vocab.txt", WEIGHTS}


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def wanted_of(hub: Any) -> dict[str, bytes]:
    return {name: hub.files[name] for name in WANTED}


def test_what_is_needed_comes_and_nothing_else(hub: Any, store: EncoderStore) -> None:
    encoder = store.fetch(NAME, hub.url)

    files = held(encoder.path)
    record = json.loads(files.pop("encoder.json"))
    assert files == wanted_of(hub)
    assert encoder.revision == record["revision"] == COMMIT
    assert record["repository"] == NAME
    assert {file["path"]: (file["bytes"], file["sha256"]) for file in record["files"]} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()
    }
    assert {path.name for path in encoder.path.parent.iterdir()} == {COMMIT}
    assert not hub.asked("pytorch_model.bin")


def test_weights_in_several_files_come_with_their_index_and_how_to_pool(
    hub: Any, store: EncoderStore
) -> None:
    shards = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    small = save({"weights": np.zeros(9)})
    hub.files = {
        "config.json": b"{}",
        "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}',
        "model.safetensors.index.json": json.dumps(
            {"weight_map": {"a": shards[0], "b": shards[1]}}
        ).encode(),
        **dict.fromkeys(shards, small),
        "other-00001-of-00001.safetensors": small,
    }
    hub.card = {"license": "mit"}
    encoder = store.fetch(NAME, hub.url)

    for name in hub.files.keys() - {"other-00001-of-00001.safetensors"}:
        assert (encoder.path / name).read_bytes() == hub.files[name]
    assert not hub.asked("other-00001-of-00001.safetensors")
    assert encoder.identify()["licence"] == "mit"
    (encoder.path / shards[1]).write_bytes(save({"weights": np.ones(9)}))
    with pytest.raises(ValueError, match=rf"{shards[1]} in .* is corrupted"):
        store.find(NAME).identify()


def test_what_is_there_is_found_without_the_hub(hub: Any, store: EncoderStore) -> None:
    fetched = store.fetch(NAME, hub.url)
    asked = len(hub.seen)

    assert store.find(NAME) == store.find(f"{NAME}@{COMMIT}") == fetched
    assert store.fetch(NAME, hub.url) == fetched
    assert len(hub.seen) == asked
    sha256 = hashlib.sha256(hub.files[WEIGHTS]).hexdigest()
    assert store.find(NAME).identify()["sha256"] == sha256


def test_what_is_kept_of_an_encoder_is_found_from_any_folder(
    hub: Any, store: EncoderStore, tiny: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = tiny()
    model, training = parameters.model, parameters.training
    store.fetch(NAME, hub.url)
    sources, names = set(), set()
    for folder in (store.folder, store.folder.parent):
        monkeypatch.chdir(folder)
        identity = store.find(NAME).identify()
        sources.add(identity["source"])
        names |= {
            fingerprint_encoding("text", model, identity, "cpu"),
            fingerprint_training(
                "posts", [True], model, training, {"text": identity}, "cpu", 1, "cpu"
            ),
        }

    assert sources == {".", "store"}
    assert len(names) == 2


@pytest.mark.parametrize("breaks", [[12_000_000], [1_000_000, 1_000_000], [0, 100]])
def test_a_connection_that_breaks_off_is_taken_up_again(
    hub: Any, store: EncoderStore, breaks: list[int]
) -> None:
    hub.files = {WEIGHTS: hub.files[WEIGHTS], "config.json": b"{}"}
    hub.breaks = [10, *breaks]  # config.json, of two bytes, is not cut by ten
    encoder = store.fetch(NAME, hub.url)

    assert (encoder.path / WEIGHTS).read_bytes() == hub.files[WEIGHTS]
    starts = hub.asked(WEIGHTS)
    assert len(starts) == 1 + len(breaks)
    assert starts == sorted(starts)
    assert sum(breaks) - starts[-1] < 500_000 * len(breaks)  # nearly all that came was kept


def test_a_hub_that_breaks_off_for_good_is_one_line_and_the_next_try_goes_on(
    hub: Any, store: EncoderStore, refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)  # the library waits between its tries
    hub.breaks = [10_000, 10_000, 3_000_000, *[0] * 50]
    line = refusal()

    assert line.startswith(f"{NAME}: HUB cannot be reached (")
    assert line.endswith("what has come so far is kept")
    hub.breaks, hub.seen = [], []
    encoder = store.fetch(NAME, hub.url)
    (start,) = hub.asked(WEIGHTS)
    assert 2_500_000 < start <= 3_000_000
    assert not hub.asked("config.json")
    assert (encoder.path / WEIGHTS).read_bytes() == hub.files[WEIGHTS]


def test_a_server_without_ranges_starts_anew(hub: Any, store: EncoderStore) -> None:
    part = store.folder / "lab--tiny" / f".{COMMIT}.partial" / f"{WEIGHTS}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"other bytes, of an earlier try")
    encoder = store.fetch(NAME, hub.url)

    # The wrong beginning is found out by the checksum.
    assert (encoder.path / WEIGHTS).read_bytes() == hub.files[WEIGHTS]
    assert hub.asked(WEIGHTS) == [30, 0]


def test_weights_that_lie_elsewhere_are_taken_up_again_there(hub: Any, store: EncoderStore) -> None:
    hub.redirects = True
    hub.breaks = [100, 100, 12_000_000]
    encoder = store.fetch(NAME, hub.url)

    assert (encoder.path / WEIGHTS).read_bytes() == hub.files[WEIGHTS]
    first, second = hub.asked(f"elsewhere/{WEIGHTS}")
    assert first == 0
    assert 11_500_000 < second <= 12_000_000


def test_an_empty_file_is_a_file(hub: Any, store: EncoderStore) -> None:
    hub.files["added_tokens.json"] = b""

    assert (store.fetch(NAME, hub.url).path / "added_tokens.json").read_bytes() == b""


def test_a_slow_server_is_waited_for(hub: Any, store: EncoderStore) -> None:
    hub.chunk, hub.pause = 5_000_000, 0.2
    encoder = store.fetch(NAME, hub.url)

    assert (encoder.path / WEIGHTS).read_bytes() == hub.files[WEIGHTS]


def test_a_server_that_falls_silent_within_a_file_is_asked_again(
    hub: Any, store: EncoderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.5)
    hub.files = {WEIGHTS: hub.files[WEIGHTS], "config.json": b"{}"}
    hub.breaks, hub.silence = [10, 12_000_000], 3600.0
    encoder = store.fetch(NAME, hub.url)

    assert (encoder.path / WEIGHTS).read_bytes() == hub.files[WEIGHTS]
    first, second = hub.asked(WEIGHTS)
    assert first == 0
    assert 11_500_000 < second <= 12_000_000


def test_other_bytes_of_the_right_size_are_refused(hub: Any, refusal: Callable[..., str]) -> None:
    content = bytearray(hub.files[WEIGHTS])
    content[-1] ^= 1
    hub.served = {WEIGHTS: bytes(content)}

    assert refusal() == (
        f"{NAME}: {WEIGHTS} from HUB has another SHA-256 than it says, and is not kept: try again, "
        "or another mirror (HF_ENDPOINT, or encoders.endpoint)"
    )


def test_another_small_file_of_the_right_size_is_refused(
    hub: Any, refusal: Callable[..., str]
) -> None:
    hub.served = {"config.json": b'{"model_type": "gpt2"}'}

    assert "config.json from HUB has another checksum than it says" in refusal()


@pytest.mark.parametrize("size", [20_000_000, 26_000_000])
def test_another_size_is_refused(hub: Any, refusal: Callable[..., str], size: int) -> None:
    hub.served = {WEIGHTS: (hub.files[WEIGHTS] * 2)[:size]}
    full = len(hub.files[WEIGHTS])

    assert f"has {size:,} bytes, not {full:,} than it says" in refusal()


def test_weights_that_are_no_safetensors_are_refused(hub: Any, refusal: Callable[..., str]) -> None:
    hub.files[WEIGHTS] = b"\x80\x04 a pickle under another name"

    assert "truncated, or no safetensors" in refusal()


def test_other_weights_than_were_published_are_refused(
    hub: Any, refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = references.Reference("tiny", NAME, COMMIT, "5" * 64)
    monkeypatch.setattr(references, "PUBLISHED", (known,))

    assert "other weights of tiny@0123" in refusal("tiny")
    assert not hub.asked(WEIGHTS)


@pytest.mark.parametrize("commit", ["../../other", "main", None])
def test_a_revision_that_is_no_commit_is_refused(
    hub: Any, refusal: Callable[..., str], commit: str | None
) -> None:
    hub.commit = commit

    assert f"HUB answers for {NAME} with revision {commit}" in refusal()


def test_a_proxy_that_cannot_be_used_is_one_line(
    refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise ImportError("Using SOCKS proxy, but the 'socksio' package is not installed")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", connect)

    assert refusal() == (f"{NAME}: Using SOCKS proxy, but the 'socksio' package is not installed")


def test_no_room_on_the_disk_is_said_before_the_first_byte(
    hub: Any, refusal: Callable[..., str]
) -> None:
    hub.listed = {WEIGHTS: {"size": 10**18}}
    line = refusal()

    assert line.startswith(f"{NAME} takes 1,000,000,000,000 MB more, and ")
    assert line.endswith("free some space, or write elsewhere with --params data=FOLDER")
    assert not hub.asked("config.json")


@pytest.mark.parametrize(
    ("part", "status", "headers", "words"),
    [
        ("/api/", 401, {}, "has no lab/tiny, or it is private: check the name, or set HF_TOKEN"),
        ("/api/", 404, {"X-Error-Code": "RepoNotFound"}, "has no lab/tiny, or it is private"),
        ("/api/", 404, {}, "has no lab/tiny, or it is private"),
        ("/api/", 404, {"X-Error-Code": "RevisionNotFound"}, "has no such revision"),
        ("/api/", 403, {"X-Error-Code": "GatedRepo"}, "gated at HUB: accept its terms"),
        ("/api/", 403, {}, "refuses access (403): check HF_TOKEN"),
        ("/api/", 503, {}, "answers with error 503: try again later"),
        ("resolve", 401, {}, "refuses access (401): check HF_TOKEN"),
        ("resolve", 403, {"X-Error-Code": "GatedRepo"}, "gated at HUB: accept its terms"),
        (WEIGHTS, 404, {"X-Error-Code": "EntryNotFound"}, f"lists {WEIGHTS} but does not have it"),
        (WEIGHTS, 404, {}, f"lists {WEIGHTS} but does not have it: choose another mirror"),
        (WEIGHTS, 503, {}, "answers with error 503: try again later"),
        ("/api/", 200, {}, "does not answer as a hub does: check HF_ENDPOINT"),
    ],
)
def test_a_refusal_is_one_line(
    hub: Any,
    refusal: Callable[..., str],
    part: str,
    status: int,
    headers: dict[str, str],
    words: str,
) -> None:
    hub.answers = {part: (status, headers)}

    assert words in refusal()


def test_a_page_instead_of_a_hub_is_one_line(hub: Any, refusal: Callable[..., str]) -> None:
    assert "does not answer as a hub does" in refusal(
        endpoint=f"{hub.url}/lab/tiny/resolve/{COMMIT}/vocab.txt?"
    )


def test_a_hub_that_cannot_be_reached_is_one_line(refusal: Callable[..., str]) -> None:
    line = refusal(endpoint="http://127.0.0.1:9")

    assert line.startswith(f"{NAME}: http://127.0.0.1:9 cannot be reached (")
    assert "HTTPS_PROXY" in line
    assert "HF_ENDPOINT" in line


def test_pickles_only_is_one_line(hub: Any, refusal: Callable[..., str]) -> None:
    del hub.files[WEIGHTS]

    assert refusal() == (
        f"{NAME} at HUB has only pickles (pytorch_model.bin), which are never loaded: name a "
        "revision with safetensors, often a pull request as in NAME@refs/pr/1, or another encoder"
    )


def test_a_corrupted_file_is_mended_and_the_sound_ones_are_kept(
    hub: Any, store: EncoderStore
) -> None:
    encoder = store.fetch(NAME, hub.url)
    (encoder.path / "vocab.txt").write_bytes(b"[PAD]\n[UNK]!")
    hub.seen = []
    store.fetch(NAME, hub.url)

    assert held(encoder.path)["vocab.txt"] == hub.files["vocab.txt"]
    assert hub.asked("vocab.txt") == [0]
    assert not hub.asked(WEIGHTS)


def test_corrupted_weights_are_not_used(hub: Any, store: EncoderStore) -> None:
    encoder = store.fetch(NAME, hub.url)
    path = encoder.path / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"corrupted .*kedro run --pipeline=encoders"):
        store.find(NAME).identify()
    path.write_bytes(content[:-1])
    with pytest.raises(ValueError, match="truncated"):
        store.find(NAME)


FETCH = """
import sys
from pathlib import Path
from multimodal_sentiment.encoders import EncoderStore
folder = Path(sys.argv[1])
EncoderStore(folder, folder).fetch("lab/tiny")
"""


def fetching(hub: Any, store: EncoderStore, **environment: str) -> subprocess.Popen[str]:
    """A process that fetches; the hub's library reads its variables when it is imported."""
    source = Path(references.__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(store.folder)],
        env={"PYTHONPATH": str(source), "HF_ENDPOINT": hub.url} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_at_any_moment_the_next_call_completes_the_fetch(
    hub: Any, store: EncoderStore
) -> None:
    rng = random.Random(0)
    hub.chunk, hub.pause = 500_000, 0.005  # a quarter of a second in all
    completed = went_on = 0
    for _ in range(10):
        hub.seen = []
        process = fetching(hub, store)
        while not hub.seen and process.poll() is None:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.4))
        process.kill()
        process.communicate()
        went_on += any(hub.asked(WEIGHTS))
        if process.returncode == 0 or (store.folder / "lab--tiny" / COMMIT).exists():
            completed += 1
            encoder = store.find(NAME)
            assert {n: c for n, c in held(encoder.path).items() if n in WANTED} == wanted_of(hub)
            shutil.rmtree(store.folder)  # to be killed once more
        with pytest.raises(MissingEncoderError):
            store.find(NAME)
    hub.pause = 0
    assert completed < 8
    assert went_on
    assert fetching(hub, store).wait() == 0
    encoder = store.find(NAME)
    assert {n: c for n, c in held(encoder.path).items() if n in WANTED} == wanted_of(hub)


def test_offline_is_honoured(hub: Any, store: EncoderStore) -> None:
    process = fetching(hub, store, HF_HUB_OFFLINE="1")
    words = process.communicate()[1]

    assert process.returncode == 1
    assert "lab/tiny is not here yet, and HF_HUB_OFFLINE forbids to fetch it" in words
    assert hub.seen == []


def test_a_proxy_is_used(hub: Any, store: EncoderStore) -> None:
    # The loopback hub is asked as a proxy for another host: it sees the whole address.
    process = fetching(hub, store, HF_ENDPOINT="http://hub.invalid", HTTP_PROXY=hub.url)
    process.communicate()

    assert process.returncode == 0
    assert store.find(NAME).path.is_dir()
