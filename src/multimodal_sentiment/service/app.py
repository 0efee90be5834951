"""What the service answers to, path by path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect

from multimodal_sentiment import __version__
from multimodal_sentiment.classifier.predictor import Classifier
from multimodal_sentiment.posts.problems import describe_problems
from multimodal_sentiment.wording import did_you_mean

from .batching import Batcher
from .bodies import JSON, MANY_POSTS, MULTIPART, ONE_POST, read_posts
from .current_model import CurrentModel
from .guard import FAULT
from .limits import Limits
from .metrics import Metrics

PAGE = Path(__file__).parent / "page"
_STATUS_OF_A_CLIENT_THAT_LEFT = 499


class Options(BaseModel):
    """The query of a request for answers."""

    model_config = ConfigDict(extra="forbid")

    problems: Literal["words", "codes"] = "words"
    explain: bool = False


class Weighed(BaseModel):
    """A word, from one place of the text to another, or a region, and what it added."""

    weight: float
    start: int | None = None
    end: int | None = None
    box: tuple[float, float, float, float] | None = None


class ExplanationBody(BaseModel):
    """What words and regions added to the probability of the answer: see `Explanation`."""

    model_config = ConfigDict(extra="allow")

    text: str
    words: list[Weighed]
    regions: list[Weighed]


class Answer(BaseModel):
    """The answer for a post, as `predict` gives it; beside these, `p_LABEL` for each label."""

    model_config = ConfigDict(extra="allow")

    predicted: str
    confidence: float
    problems: str
    decided_by: str | None = None
    text_contribution: float | None = None
    image_contribution: float | None = None
    explanation: ExplanationBody | None = None


class Answers(BaseModel):
    """The answers for a request's posts, in their order, all of one model."""

    model: str | None
    answers: list[Answer]


class Detail(BaseModel):
    """Why a request is refused, in one line."""

    detail: str


_REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": Detail, "description": description}
    for status, description in {
        400: "Not a name of this service in the Host header",
        401: "No token, or a wrong one",
        403: "From a page of another site",
        408: "The body takes too long",
        413: "Too long a body, too many posts, or too large an image",
        415: "A compressed body, or one of another type",
        422: "A body or a query that is not what it should be",
        429: "Too much at once: see Retry-After",
        503: "No model yet, or no answer in time: see Retry-After",
    }.items()
}
_BODY = {
    "required": True,
    "content": {
        MULTIPART: {"schema": ONE_POST},
        JSON: {"schema": MANY_POSTS},
    },
}


def create_app(
    model: CurrentModel,
    limits: Limits,
    ask_below: float,
    metrics: Metrics,
    keep_model: Callable[[], Coroutine[Any, Any, None]],
) -> FastAPI:
    """Return the application that answers requests.

    Args:
        model: The model that answers.
        limits: The limits of requests.
        ask_below: The confidence under which the page says to ask a person.
        metrics: Counts.
        keep_model: Loads the model, and then each that takes its place, until it is cancelled.
    """
    batcher = Batcher(limits, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(keep_model())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(batcher.stop)

    # FastAPI's pages of documentation load scripts from another host.
    app = FastAPI(
        title="Sentiment of posts", version=__version__, lifespan=lifespan, docs_url=None,
        redoc_url=None,
    )  # fmt: skip
    app.add_exception_handler(RequestValidationError, _refuse_query)
    app.add_exception_handler(ClientDisconnect, _drop)
    app.add_exception_handler(Exception, _fail)
    _add_predict(app, model, batcher, limits)
    _add_states(app, model, batcher, metrics)
    _add_page(app, ask_below, limits.max_megabytes)
    return app


def _loaded(model: CurrentModel) -> Classifier:
    if model.classifier is None:
        raise HTTPException(503, "the model is being loaded", {"Retry-After": "2"})
    return model.classifier


def _add_predict(app: FastAPI, model: CurrentModel, batcher: Batcher, limits: Limits) -> None:
    @app.post(
        "/predict",
        response_model=Answers,
        responses=_REFUSED,
        openapi_extra={"requestBody": _BODY},
    )
    async def predict(request: Request, options: Annotated[Options, Query()]) -> Response:
        """Answer for one post, sent as a form, or for several, sent as JSON.

        With `explain`, which takes one post, also say what its words and the regions of its image
        added; that takes a second or two.
        """
        classifier = _loaded(model)
        posts = await read_posts(request, limits)
        if options.explain and len(posts) > 1:
            raise HTTPException(422, "one post a request is explained: send them one by one")
        rows = await batcher.answer(classifier, posts, explain=options.explain)
        if options.problems == "words":
            rows = [{**row, "problems": describe_problems(row["problems"])} for row in rows]
        elif options.explain:
            rows[0]["explanation"]["problems"] = rows[0]["problems"]
        return JSONResponse({"model": classifier.version, "answers": rows})


def _add_states(app: FastAPI, model: CurrentModel, batcher: Batcher, counts: Metrics) -> None:
    @app.get("/health", responses={503: {"model": Detail}})
    async def health() -> dict[str, str]:
        """Say whether the process works; one that does not should be started again."""
        if not batcher.is_alive:
            raise HTTPException(503, "the model's thread has ended: start the service again")
        return {"status": "ok"}

    @app.get("/ready", responses={503: {"model": Detail}})
    async def ready() -> dict[str, str | None]:
        """Say whether posts can be answered, and by which model."""
        return {"status": "ready", "model": _loaded(model).version}

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Give the counts in Prometheus' text format."""
        media_type = "text/plain; version=0.0.4; charset=utf-8"
        return Response(counts.exposition(), media_type=media_type)


def _add_page(app: FastAPI, ask_below: float, max_megabytes: float) -> None:
    pages = Environment(
        loader=FileSystemLoader(PAGE, encoding="utf-8"), autoescape=True, undefined=StrictUndefined
    )

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        said = {"ask_below": ask_below, "max_megabytes": max_megabytes}
        return Response(pages.get_template("page.html").render(said), media_type="text/html")

    for name, media_type in {"page.css": "text/css", "page.js": "text/javascript"}.items():
        asset = _asset((PAGE / name).read_bytes(), media_type)
        app.add_api_route(f"/{name}", asset, include_in_schema=False)


def _asset(content: bytes, media_type: str) -> Callable[[], Awaitable[Response]]:
    async def asset() -> Response:
        return Response(content, media_type=media_type)

    return asset


async def _refuse_query(_: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    place = ".".join(map(str, first.get("loc", ())[1:]))
    reason = first.get("msg")
    if first.get("type") == "extra_forbidden":
        known = Options.model_fields
        advice = did_you_mean(place, known) or f"choose of {', '.join(known)}"
        reason = f"there is no such parameter: {advice}"
    return JSONResponse({"detail": f"{place}: {reason}"}, 422)


async def _fail(_: Request, __: Exception) -> Response:
    return JSONResponse({"detail": FAULT}, 500)  # the guard logs what it is


async def _drop(_: Request, __: Exception) -> Response:
    return Response(status_code=_STATUS_OF_A_CLIENT_THAT_LEFT)
