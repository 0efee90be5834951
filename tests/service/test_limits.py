"""What the service refuses, and what it does not do for anybody."""

from __future__ import annotations

import base64
import gzip
import json
import threading

import pytest

from multimodal_sentiment.classifier.predictor import Classifier
from multimodal_sentiment.service import app, guard
from multimodal_sentiment.service.limits import Limits
from multimodal_sentiment.service.server import Address, Server, listen, read_token

from ..pictures import png_that_claims
from .conftest import form, photo, posts, running

JSON = {"Content-Type": "application/json"}
ZIPPED = gzip.compress(b'{"posts": [{"text": "fine"}]}')
LARGE = photo(size=(2500, 1700))  # 4.25 megapixels


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ((JSON, b" " * 1_100_000), 413, "1 MB"),
        (posts(*[("fine", None)] * 5), 413, "5 posts in a request, of at most 4"),
        (form(image=LARGE), 413, "claims over 4 megapixels"),
        (posts(("fine", None), (None, LARGE)), 413, "posts.1.image"),
        (form(image=png_that_claims(60_000, 60_000)), 413, "claims over 4 megapixels"),
        (({"Content-Type": "text/plain"}, b"fine"), 415, "multipart/form-data"),
        (({}, b"fine"), 415, "multipart/form-data"),
        ((JSON | {"Content-Encoding": "gzip"}, ZIPPED), 415, "compressed bodies are not read"),
        ((JSON, b'{"posts": [{"text": "fi'), 422, "Invalid JSON"),
        ((JSON, b"[" * 100_000), 422, "Invalid JSON"),
        ((JSON, b'{"posts": []}'), 422, "posts: "),
        ((JSON, b"[]"), 422, "Input should be an object"),
        ((JSON, b'{"posts": {}}'), 422, "posts: Input should be a valid array"),
        ((JSON, b'{"posts": ["fine"]}'), 422, "posts.0: Input should be an object"),
        ((JSON, b'{"posts": [{"text": 1}]}'), 422, "posts.0.text: Input should be a valid string"),
        ((JSON, b'{"posts": [{"photo": "x"}]}'), 422, "posts.0.photo"),
        ((JSON, b'{"posts": [{"image": "/etc/passwd"}]}'), 422, "never opened"),
        ((JSON, b'{"posts": [{"image": "http://127.0.0.1/a.jpg"}]}'), 422, "never opened"),
        (form(photo=photo()), 422, "another name"),
        (form(), 422, ""),
        (({"Content-Type": "multipart/form-data"}, b"fine"), 422, "boundary"),
        ((form(text="fine")[0], b"fine"), 422, ""),
        ((form()[0], form(text="fine", image=photo())[1][:-500]), 422, "breaks off"),
    ],
)  # fmt: skip
def test_what_is_too_much_or_wrong_is_refused_in_one_line(client, given, status, said):
    answer, content = client.predict(given)

    assert (answer, set(content)) == (status, {"detail"})
    assert said in content["detail"]
    assert len(content["detail"]) < 200
    assert "\n" not in content["detail"]


def test_a_part_is_given_once(client):
    headers, body = form(text="one")
    end = body.rindex(b"--a-boundary--")
    again = body[:end] + form(text="two")[1]

    assert client.predict((headers, again))[0] == 422


def test_a_text_in_the_place_of_a_file_is_refused(client):
    status, content = client.predict(form(text="fine", image="photo.jpg"))

    assert status == 422
    assert "-F image=@photo.jpg" in content["detail"]
    assert client.predict(form(text="fine", image=""))[0] == 200  # a form that was left empty


def test_a_wrong_option_is_refused(client):
    status, content = client.predict(form(text="fine"), "?problems=none")

    assert (status, content["detail"].split(":")[0]) == (422, "problems")


@pytest.mark.parametrize("said", ["Identity", ""])
def test_a_body_that_is_said_to_be_as_it_is_is_read(client, said):
    headers, body = form(text="fine")

    assert client.predict((headers | {"Content-Encoding": said}, body))[0] == 200


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?explan=true", "explan: there is no such parameter: did you mean explain?"),
        ("?problems=codes&x=1", "x: there is no such parameter: choose of problems, explain"),
    ],
)
def test_an_unknown_option_is_refused(client, query, said):
    status, content = client.predict(form(text="fine"), query)

    assert (status, content) == (422, {"detail": said})


def test_no_path_is_opened(client, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo())

    status, content = client.predict(form(image=str(path).encode()))
    assert status == 200  # its letters are the bytes of an image, which is broken
    assert content["answers"][0]["problems"].startswith("no text; image broken: not a JPEG")
    url = f"file://{path}".encode()
    assert "not a JPEG" in client.predict(form(image=url))[1]["answers"][0]["problems"]
    word = base64.b64encode(str(path).encode()).decode()
    body = json.dumps({"posts": [{"image": word}]}).encode()
    assert "not a JPEG" in client.predict((JSON, body))[1]["answers"][0]["problems"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil", ""])
def test_another_name_in_the_host_header_is_refused(client, host):
    assert client.ask("GET", "/ready", {"Host": host})[0] == 400
    assert client.ask("GET", "/", {"Host": host})[0] == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:80", "[::1]:8000"])
def test_the_names_of_loopback_are_its_own(client, host):
    assert client.ask("GET", "/ready", {"Host": host})[0] == 200


def test_pages_of_other_sites_are_refused_and_told_nothing(client):
    headers, body = form(text="fine")
    for origin in ("http://evil.example", "null", f"http://localhost:{client.port + 1}"):
        status, content, answered = client.ask(
            "POST", "/predict", {**headers, "Origin": origin}, body
        )
        assert status == 403
        assert content["detail"].endswith("or a proxy does not pass the Host header on")
        assert not [name for name in answered if name.startswith("access-control-")]
    asked = {"Origin": client.url, "Access-Control-Request-Method": "POST"}
    status, _, answered = client.ask("OPTIONS", "/predict", asked)
    assert status == 405
    assert not [name for name in answered if name.startswith("access-control-")]
    assert client.ask("POST", "/predict", {**headers, "Origin": client.url}, body)[0] == 200


def test_beyond_loopback_a_token_and_a_name_are_needed(tmp_path):
    with pytest.raises(ValueError, match=r"reached from other machines: .*--token-file"):
        listen(Address("0.0.0.0", 0))  # noqa: S104
    with pytest.raises(ValueError, match="--allow-host"):
        listen(Address("0.0.0.0", 0, token="t" * 16))  # noqa: S104
    listen(Address("0.0.0.0", 0, ["name"], "t" * 16)).close()  # noqa: S104
    listen(Address("localhost", 0)).close()
    with listen(Address("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1, port {port}: "):
            listen(Address("127.0.0.1", port))
    (tmp_path / "token").write_text("short\n")
    with pytest.raises(ValueError, match="at least 16"):
        read_token(tmp_path / "token")


def test_a_name_may_come_with_a_port_and_what_is_none_is_refused(model):
    for name, host in [
        ("my.name:8443", "my.name"),
        ("[fe80::1]:80", "[fe80::1]"),
        ("::2", "[::2]"),
    ]:
        with running(model, names=[name]) as client:
            for port in ("", ":1234"):
                assert client.ask("GET", "/ready", {"Host": host + port})[0] == 200
            status, content, _ = client.ask("GET", "/ready", {"Host": "other"})
            assert (status, content["detail"][-31:]) == (400, "have a proxy pass the header on")
    with pytest.raises(ValueError, match=r"--allow-host https://my\.name: give the name of a host"):
        Server(model, "cpu", "fp32", Address("127.0.0.1", 0, ["https://my.name"]), Limits(), 0.6)


def test_with_a_token_only_those_who_have_it_are_answered(model):
    token = "a-token-of-this-test"  # noqa: S105
    with running(model, token=token) as client:
        headers, body = form(text="fine")
        for given in (None, "Bearer", "Bearer wrong", token, f"Bearer {token}x", "Bearer \xe9"):
            more = {} if given is None else {"Authorization": given}
            status, content, _ = client.ask("POST", "/predict", {**headers, **more}, body)
            assert (status, list(content)) == (401, ["detail"])
            assert client.ask("GET", "/metrics", more)[0] == 401
            assert client.ask("GET", "/openapi.json", more)[0] == 401
        right = {"Authorization": f"Bearer {token}"}
        assert client.ask("POST", "/predict", {**headers, **right}, body)[0] == 200
        for path in ("/", "/page.js", "/page.css", "/health", "/ready"):
            assert client.ask("GET", path)[0] == 200


def test_a_full_queue_is_refused_and_the_rest_answered(model, gate):
    gate.set()  # to warm up
    with running(model, max_queue=6, max_posts=4) as client:
        gate.clear()
        said = []
        four, three = posts(*[("fine", None)] * 4), posts(*[("fine", None)] * 3)
        waiting = threading.Thread(target=lambda: said.append(client.predict(four)))
        waiting.start()
        client.wait_for_queue(4)
        status, content, headers = client.ask("POST", "/predict", *three)
        assert (status, headers["retry-after"]) == (429, "1")
        assert content["detail"].startswith("4 posts are waiting, of at most 6")
        assert client.ask("GET", "/health")[0] == 200
        gate.set()
        waiting.join()
        assert [status for status, _ in said] == [200]
        assert client.predict(three)[0] == 200


def test_an_answer_that_takes_too_long_is_given_up(model, gate):
    gate.set()
    with running(model, timeout=0.5) as client:
        gate.clear()
        status, content = client.predict(form(text="fine"))
        assert (status, content["detail"][:20]) == (503, "no answer within 0.5")
        gate.set()
        assert client.predict(form(text="fine"))[0] == 200
        assert b"sentiment_queue_posts 0.0" in client.ask("GET", "/metrics")[1]


def test_an_explanation_that_takes_too_long_is_told_of_the_answer_alone(model, gate):
    gate.set()
    with running(model, timeout=0.5) as client:
        gate.clear()
        status, content = client.predict(form(text="fine"), "?explain=true")
        assert (status, content["detail"]) == (
            503,
            "no answer within 0.5 s: ask later, or for the answer alone",
        )
        gate.set()


def test_the_model_is_never_given_more_posts_than_its_limit(model, monkeypatch):
    answer, sizes = Classifier.answer, []

    def note(self, given, problems):
        sizes.append(len(given))
        return answer(self, given, problems)

    with running(model, max_batch=3) as client:
        monkeypatch.setattr(Classifier, "answer", note)
        status, content = client.predict(posts(*[(f"fine {n}", None) for n in range(8)]))

    assert (status, len(content["answers"]), sizes) == (200, 8, [3, 3, 2])


def test_a_request_for_more_than_the_queue_holds_is_refused_at_once():
    with pytest.raises(ValueError, match="max_posts"):
        Limits(max_posts=10, max_queue=5)


def test_no_text_is_logged_whatever_happens(model, caplog, monkeypatch):
    caplog.set_level("DEBUG")
    secret = "nobody-but-me"  # noqa: S105
    with running(model) as client:
        assert client.predict(form(text=secret))[0] == 200
        assert client.ask("GET", f"/predict?text={secret}")[0] == 405
        assert client.predict((JSON, json.dumps({"posts": secret}).encode()))[0] == 422

        def fail(self, given, problems):
            raise RuntimeError(f"cannot answer {given[0].text}")

        monkeypatch.setattr(Classifier, "answer", fail)
        status, content = client.predict(form(text=secret))
        assert (status, content) == (500, {"detail": "this is a fault of the service"})
    assert "RuntimeError while answering" in caplog.text
    assert "in fail" in caplog.text  # the place, so that it can be mended
    assert secret not in caplog.text


def test_what_one_request_breaks_others_are_spared(model, monkeypatch):
    answer = Classifier.answer

    def fail(self, given, problems):
        if any(post.text == "poison" for post in given):
            raise RuntimeError("poison")
        return answer(self, given, problems)

    monkeypatch.setattr(Classifier, "answer", fail)
    with running(model, batch_wait=0.2) as client:
        said = {}

        def ask(text: str) -> None:
            said[text] = client.predict(form(text=text))[0]

        threads = [threading.Thread(target=ask, args=[t]) for t in ("a", "poison", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said == {"a": 200, "poison": 500, "b": 200}


def test_pages_load_nothing_from_elsewhere(client):
    for path in ("/", "/page.css", "/page.js"):
        status, content, headers = client.ask("GET", path)
        assert status == 200
        assert b"http" not in content.replace(b"http-equiv", b"")
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "http" not in policy
    assert guard.OPEN_PATHS >= {"/", "/page.css", "/page.js"}
    assert app.PAGE.is_dir()
