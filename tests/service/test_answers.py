"""What the service answers, as `predict` does."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from multimodal_sentiment import ClassifierError, load_classifier
from multimodal_sentiment.datasets.promotion import promote
from multimodal_sentiment.service import current_model
from multimodal_sentiment.service.metrics import Metrics

from .conftest import NEWER, OLDER, form, photo, posts, running, write_version


def assert_like(answers: list[dict], expected) -> None:
    assert len(answers) == len(expected)
    for answer, (_, row) in zip(answers, expected.iterrows(), strict=True):
        assert list(answer) == list(row.index)
        for name, value in row.items():
            assert answer[name] == (pytest.approx(value, abs=1e-5) if _is_number(value) else value)


def _is_number(value) -> bool:
    return isinstance(value, float | np.floating)


def test_one_post_is_answered_as_predict_does(client, model):
    expected = load_classifier(model, "cpu", "fp32").predict(["a lovely day"], [photo()])

    status, content = client.predict(form(text="a lovely day", image=photo()))

    assert (status, content["model"]) == (200, OLDER)
    assert_like(content["answers"], expected)


def test_several_are_answered_in_their_order_with_what_is_wrong_with_them(client, model):
    texts = ["a lovely day", None, "rain \ud83d\ude00", " "]
    images = [photo(1), photo(2, "PNG"), None, b"no image"]
    classifier = load_classifier(model, "cpu", "fp32")
    given = posts(*zip(texts, images, strict=True))

    assert_like(client.predict(given)[1]["answers"], classifier.predict(texts, images))
    assert_like(
        client.predict(given, "?problems=codes")[1]["answers"],
        classifier.predict(texts, images, problems="codes"),
    )


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude00", "\\ud83d\\u0041"])
def test_half_a_surrogate_pair_is_a_problem_of_its_post(client, model, half):
    body = f'{{"posts": [{{"text": "fine {half} day"}}, {{"text": "rain"}}]}}'.encode()
    status, content = client.predict(
        ({"Content-Type": "application/json"}, body), "?problems=codes"
    )
    expected = load_classifier(model, "cpu", "fp32").predict(
        [json.loads(f'"fine {half} day"'), "rain"], problems="codes"
    )

    assert status == 200
    assert [answer["problems"] for answer in content["answers"]] == expected["problems"].tolist()
    assert "lone_surrogates(1)" in content["answers"][0]["problems"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"posts": [{"image": "\\ud83d"}]}',
        b'{"posts": [{"\\ud83d": "fine"}]}',
        b'{"posts": [{"text": "\\ud83d',
    ],
)
def test_half_a_surrogate_pair_elsewhere_is_refused(client, body):
    status, content = client.predict(({"Content-Type": "application/json"}, body))

    assert (status, set(content)) == (422, {"detail"})


def test_base64_may_come_in_lines(client):
    headers, body = posts((None, photo()))
    whole = json.loads(body)["posts"][0]["image"]
    lines = json.dumps({"posts": [{"image": f"{whole[:76]}\r\n{whole[76:]}\n"}]}).encode()

    assert client.predict((headers, lines)) == client.predict((headers, body))


@pytest.mark.parametrize("payload", ["日本".encode("cp932"), b"na\xefve", b"plain"])
def test_a_text_that_is_a_file_is_read_in_its_encoding(client, model, payload):
    expected = load_classifier(model, "cpu", "fp32").predict([payload])

    assert_like(client.predict(form(text=payload))[1]["answers"], expected)


def test_a_field_that_is_not_utf_8_is_bytes_too(client, model):
    expected = load_classifier(model, "cpu", "fp32").predict([b"na\xefve"])
    headers, body = form(text="na#ve")

    _, content = client.predict((headers, body.replace(b"#", b"\xef")))
    assert_like(content["answers"], expected)


def test_a_field_in_utf_8_is_text_whatever_the_profile_expects(client, model):
    expected = load_classifier(model, "cpu", "fp32").predict(["naïve 日本"])

    assert_like(client.predict(form(text="naïve 日本"))[1]["answers"], expected)


def test_an_explanation_is_that_of_the_predictor(client, model):
    expected = load_classifier(model, "cpu", "fp32").explain("a lovely day", photo())

    status, content = client.predict(form(text="a lovely day", image=photo()), "?explain=true")

    assert status == 200
    (answer,) = content["answers"]
    given = answer["explanation"]
    for name in ("predicted", "confidence", "text_contribution", "image_contribution"):
        assert given[name] == answer[name]  # to the last digit: it is this answer's
    assert given["text"] == "a lovely day"
    assert [(word["start"], word["end"]) for word in given["words"]] == [(0, 1), (2, 8), (9, 12)]
    for name in ("words", "regions"):
        weights = [each["weight"] for each in given[name]]
        assert weights == pytest.approx([e.weight for e in getattr(expected, name)], abs=1e-5)
    assert client.predict(posts(("a", None), ("b", None)), "?explain=true")[0] == 422
    (coded,) = client.predict(form(text="a day"), "?explain=true&problems=codes")[1]["answers"]
    assert coded["explanation"]["problems"] == coded["problems"] == "no_image"
    (worded,) = client.predict(form(text="a day"), "?explain=true")[1]["answers"]
    assert worded["explanation"]["problems"] == worded["problems"] == "no image"


def test_many_at_once_get_their_own_answers(client, model):
    given = [(f"day {number}", photo(number)) for number in range(40)]
    expected = load_classifier(model, "cpu", "fp32").predict(*zip(*given, strict=True))

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(lambda post: client.predict(form(text=post[0], image=post[1])), given))

    assert {status for status, _ in said} == {200}
    assert_like([content["answers"][0] for _, content in said], expected)


def test_metrics_count_answers_and_problems(client):
    def counts() -> dict[tuple, float]:
        _, text, headers = client.ask("GET", "/metrics")
        assert headers["content-type"].startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(text.decode())
        samples = [sample for family in families for sample in family.samples]
        return {(s.name, *sorted(s.labels.items())): s.value for s in samples}

    before = counts()
    assert client.predict(posts(("fine", None), (None, photo())))[0] == 200
    after = counts()

    def grown(*key) -> float:
        return after.get(key, 0) - before.get(key, 0)

    labels = [("predicted", "bad"), ("predicted", "good")]
    assert sum(grown("sentiment_answers_total", label) for label in labels) == 2
    assert grown("sentiment_problems_total", ("code", "no_image")) == 1
    assert grown("sentiment_problems_total", ("code", "no_text")) == 1
    assert grown("sentiment_batch_posts_sum") == 2
    assert grown("sentiment_requests_total", ("path", "/predict"), ("status", "200")) == 1
    assert after[("sentiment_model_info", ("version", OLDER))] == 1
    assert after[("sentiment_queue_posts",)] == 0


def test_the_document_describes_the_bodies_and_no_page_shows_it(client):
    status, document, _ = client.ask("GET", "/openapi.json")

    assert status == 200
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/json"}
    schema = content["application/json"]["schema"]
    assert set(schema["properties"]["posts"]["items"]["properties"]) == {"text", "image"}
    for path in ("/docs", "/redoc"):
        assert client.ask("GET", path)[0] == 404


def test_a_promoted_model_is_taken_up_and_answers_never_mix(make_model, tmp_path, monkeypatch):
    monkeypatch.setattr(current_model, "SECONDS", 0.05)
    folder = write_version(tmp_path / "fusion_model", OLDER, make_model(1.5))
    given = posts(*[(f"day {number}", photo(number)) for number in range(4)])
    texts, images = [f"day {n}" for n in range(4)], [photo(n) for n in range(4)]

    seen = []

    def wait_for(client, version: str) -> None:
        end = time.monotonic() + 20
        while not seen or seen[-1]["model"] != version:
            assert time.monotonic() < end
            with ThreadPoolExecutor(4) as pool:
                said = list(pool.map(lambda _: client.predict(given), range(4)))
            assert {status for status, _ in said} == {200}
            seen.extend(content for _, content in said)

    with running(folder) as client:
        wait_for(client, OLDER)
        write_version(folder, NEWER, make_model(0.2))
        wait_for(client, NEWER)
        promote(folder, OLDER)
        wait_for(client, OLDER)
        assert client.ask("GET", "/ready")[1]["model"] == OLDER

    for version in (OLDER, NEWER):
        place = folder / version / "fusion_model"
        expected = load_classifier(place, "cpu", "fp32").predict(texts, images)
        for content in seen:
            if content["model"] == version:
                assert_like(content["answers"], expected)


def test_a_newer_model_that_is_broken_changes_nothing(make_model, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(current_model, "SECONDS", 0.05)
    folder = write_version(tmp_path / "fusion_model", OLDER, make_model(1.5))
    with running(folder) as client:
        broken = write_version(folder, NEWER, make_model(1.5)) / NEWER / "fusion_model"
        (broken / "model.safetensors").write_bytes(b"broken")
        end = time.monotonic() + 20
        while (
            b'sentiment_model_loads_total{outcome="failed"} 1.0'
            not in client.ask("GET", "/metrics")[1]
        ):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert client.predict(form(text="fine"))[1]["model"] == OLDER
    assert caplog.text.count("goes on answering") <= 2  # once for each thing that is wrong


def test_a_model_that_cannot_be_loaded_is_tried_again_when_its_files_change(make_model, tmp_path):
    folder = write_version(tmp_path / "fusion_model", OLDER, make_model(1.5))
    current = current_model.CurrentModel(folder, "cpu", "fp32", Metrics())
    current.load()
    weights = write_version(folder, NEWER, make_model(1.5)) / NEWER / "fusion_model"
    weights /= "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(b"broken")

    with pytest.raises(ClassifierError):
        current.load()
    current.load()  # is not tried again
    assert current.classifier.version == OLDER
    weights.write_bytes(whole)
    current.load()
    assert current.classifier.version == NEWER


@pytest.mark.parametrize("way", ["rename", "symlink_to"])
def test_the_version_is_known_whatever_the_folder_of_versions_is_called(make_model, tmp_path, way):
    folder = write_version(tmp_path / "fusion_model", OLDER, make_model(1.5))
    other = tmp_path / "prod"
    if way == "rename":
        folder.rename(other)
    else:
        other.symlink_to(folder)
    current = current_model.CurrentModel(other, "cpu", "fp32", Metrics())

    current.load()

    assert current.classifier.version == OLDER


def test_a_stop_waits_for_what_has_been_asked_and_keeps_no_connection(model, gate):
    gate.set()  # to warm up
    given = posts(*[("a lovely day", photo())] * 4)
    with ThreadPoolExecutor(8) as pool:
        with running(model) as client:
            gate.clear()
            said = [pool.submit(client.ask, "POST", "/predict", *given) for _ in range(8)]
            client.wait_for_queue(32)
            threading.Timer(0.5, gate.set).start()  # when it has been told to stop
        assert [each.result()[0] for each in said] == [200] * 8
        assert [each.result()[2].get("connection") for each in said] == ["close"] * 8
