"""The server of ``consolidate paint``: one worker, this machine, a folder of pictures."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from consolidation import web
from consolidation.errors import ConsolidationError, ObjectError
from consolidation.labeling import segments
from consolidation.labeling.frame import COMMON_HEADERS, SHARED_HEADERS, frame_headers
from consolidation.labeling.masks import initial_picture
from consolidation.labeling.painting import Painting
from consolidation.labeling.pictures import shown
from consolidation.labeling.shell import shell_page

COOKIE = "consolidation_paint"
MAX_ANSWER = 256 * 1024 * 1024
"""Bytes of an answer: a mask of 100 megapixels that compresses badly."""
Handler = Callable[[Request], Awaitable[Response]]


class OnlyHere:
    """Refuses requests under another name than this machine's (DNS rebinding)."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app, self.hosts = app, [host.encode() for host in hosts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and dict(scope["headers"]).get(b"host") not in self.hosts:
            await Response("this server answers on this machine only", 421)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def application(painting: Painting, hosts: Sequence[str]) -> Starlette:
    """Routes of the server.

    Parameters
    ----------
    painting : Painting
    hosts : sequence of str
        Names and port that requests may ask for.
    """

    def guarded(handler: Handler) -> Handler:
        """Answer to whoever knows the key; errors of ours in their words."""

        async def answer(request: Request) -> Response:
            token, wanted = request.path_params.get("key"), painting.read_key
            if token is None:
                token, wanted = request.cookies.get(COOKIE, ""), painting.key
            if not secrets.compare_digest(token.encode(), wanted.encode()):
                return JSONResponse({"reason": "open the address that the program printed"}, 403)
            if request.method == "POST" and request.headers.get("origin") != painting.origin:
                return JSONResponse({"reason": "this request comes from another page"}, 403)
            try:
                return await handler(request)
            except ConsolidationError as error:
                return JSONResponse({"reason": str(error)}, 422)

        return answer

    async def shell(request: Request) -> Response:
        key = request.query_params.get("key") or request.cookies.get(COOKIE) or ""
        if not secrets.compare_digest(key.encode(), painting.key.encode()):
            return HTMLResponse("<p>Open the address that the program printed.</p>", 403)
        page, policy = shell_page(_about(painting))
        headers = {"Content-Security-Policy": policy, **COMMON_HEADERS}
        response = HTMLResponse(page, headers=headers)
        response.set_cookie(COOKIE, painting.key, httponly=True, samesite="strict")
        return response

    async def frame(request: Request) -> Response:
        try:
            page = await run_in_threadpool(painting.frame, request.path_params["number"])
        except ConsolidationError as error:
            return JSONResponse({"reason": str(error)}, 422, frame_headers(painting.origin))
        return HTMLResponse(page, headers=frame_headers(painting.origin))

    async def picture(request: Request) -> Response:
        def read() -> Response:
            seen = shown(painting.picture(request.path_params["number"]).read())
            headers = {**SHARED_HEADERS, **seen.headers, "Cache-Control": "no-store"}
            return Response(seen.data, media_type=seen.media_type, headers=headers)

        return await run_in_threadpool(read)

    async def mask(request: Request) -> Response:
        def read() -> Response:
            initial = painting.folder.initial(painting.picture(request.path_params["number"]))
            if initial is None:
                return Response(status_code=404, headers=SHARED_HEADERS)
            data = initial_picture(initial, painting.folder.classes)
            headers = {**SHARED_HEADERS, "Cache-Control": "no-store"}
            return Response(data, media_type="image/png", headers=headers)

        return await run_in_threadpool(read)

    async def answers(request: Request) -> Response:
        picture_ = painting.picture(request.path_params["number"])
        answer = await _body(request)
        await run_in_threadpool(painting.folder.save, picture_, answer)
        return JSONResponse({"done": _done(painting)})

    async def segment(request: Request) -> Response:
        asked = await _body(request)
        number = request.path_params["number"]
        return JSONResponse(await run_in_threadpool(painting.suggest, number, asked))

    return Starlette(
        routes=[
            Route("/", shell),
            Route("/frame/{number:int}", guarded(frame)),
            Route("/pictures/{key}/{number:int}/{name}", guarded(picture)),
            Route("/masks/{key}/{number:int}", guarded(mask)),
            Route("/answers/{number:int}", guarded(answers), methods=["POST"]),
            Route("/segments/{number:int}", guarded(segment), methods=["POST"]),
            Mount("/web", SharedFiles(directory=web.FOLDER)),
        ],
        middleware=[Middleware(OnlyHere, hosts=hosts)],
    )


class SharedFiles(StaticFiles):
    """Scripts and styles, which the frame without an origin may read."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        response = await super().get_response(path, scope)
        response.headers.update(SHARED_HEADERS)
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _body(request: Request) -> Any:
    """JSON of a request."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ObjectError("the request is no JSON")
    parts = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_ANSWER:
            raise ObjectError(f"the request has more than {MAX_ANSWER:,} bytes")
        parts.append(part)
    try:
        return json.loads(b"".join(parts))
    except (ValueError, RecursionError):
        raise ObjectError("the request is no JSON") from None


def _done(painting: Painting) -> list[bool]:
    return [painting.folder.done(picture) for picture in painting.folder.pictures]


def _about(painting: Painting) -> dict[str, Any]:
    """What the shell's script reads."""
    return {
        "pictures": [picture.id for picture in painting.folder.pictures],
        "tasks": [painting.folder.task(picture) for picture in painting.folder.pictures],
        "done": _done(painting),
        "segments": segments.available(),
        "language": painting.language,
        "out": str(painting.folder.out),
    }
