"""The pages people see in a browser: `/`, which says where to go, and GraphiQL with its files."""

import hashlib
import html
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

WEB = Path(__file__).resolve().parent.parent / "web"

JS, CSS, SVG = "text/javascript", "text/css", "image/svg+xml"

# Served name to file under web/graphiql, and its type. Nothing else under that folder is served.
# Ours change with a checkout, so browsers ask each time whether they still have the present ones.
OUR_FILES = {
    "start.js": ("start.js", JS),
    "session.js": ("session.js", JS),
    "live.js": ("live.js", JS),
    "examples.js": ("examples.js", JS),
    "style.css": ("style.css", CSS),
    "icon.svg": ("icon.svg", SVG),
}
# npm's change with the lock only; the page names them with the lock's hash.
NPM_FILES = {
    "react.js": ("node_modules/react/umd/react.production.min.js", JS),
    "react-dom.js": ("node_modules/react-dom/umd/react-dom.production.min.js", JS),
    "graphiql.js": ("node_modules/graphiql/graphiql.min.js", JS),
    "graphiql.css": ("node_modules/graphiql/graphiql.min.css", CSS),
    "explorer.js": ("node_modules/@graphiql/plugin-explorer/dist/index.umd.js", JS),
    "explorer.css": ("node_modules/@graphiql/plugin-explorer/dist/style.css", CSS),
    "graphql-ws.js": ("node_modules/graphql-ws/umd/graphql-ws.min.js", JS),
}
ADDRESSES = {
    "graphql": "/graphql",
    "graphiql": "/graphiql",
    "schema": "/schema.graphql",
    "health": "/health/ready",
}

CHECK_EACH_TIME = "no-cache"
KEEP_A_YEAR = "public, max-age=31536000, immutable"

# `connect-src 'self'` lets through WebSockets to the same host and port too (CSP Level 3).
PLAIN_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# GraphiQL's menus and dialogs write style elements; its fonts and two icons are data URLs.
GRAPHIQL_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


# Endpoints are plain functions: Starlette runs them in a thread, so reading a file holds up no one.
_Endpoint = Callable[[Request], Response]


def page_routes(web: Path) -> list[Route]:
    """Routes of the pages whose files lie in `web`, with `schema.graphql` beside that folder."""
    pages = web / "pages"
    return [
        Route("/", _home(pages / "index.html")),
        Route("/pages.css", _file(pages / "pages.css", CSS)),
        Route("/schema.graphql", _file(web.parent / "schema.graphql", "text/plain")),
        Route("/graphiql", _graphiql(web / "graphiql", pages / "graphiql_missing.html")),
        Route("/graphiql/assets/{name}", _asset(web / "graphiql")),
    ]


def _home(file: Path) -> _Endpoint:
    def home(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            body = {"name": "CareerGraph", **ADDRESSES}
            return JSONResponse(body, headers=SAFE_HEADERS | {"Vary": "Accept"})
        origin = html.escape(str(request.base_url).rstrip("/"))
        page = file.read_text("utf-8").replace("{origin}", origin)
        return _page(request, page, PLAIN_POLICY, {"Vary": "Accept"})

    return home


def _graphiql(folder: Path, missing: Path) -> _Endpoint:
    def graphiql(request: Request) -> Response:
        if not all((folder / path).is_file() for path, _ in NPM_FILES.values()):
            page = missing.read_text("utf-8")
            headers = _page_headers(PLAIN_POLICY) | {"Cache-Control": "no-store"}
            return HTMLResponse(page, status_code=503, headers=headers)
        page = (folder / "graphiql.html").read_text("utf-8")
        return _page(request, page.replace("{version}", _version(folder)), GRAPHIQL_POLICY)

    return graphiql


def _asset(folder: Path) -> _Endpoint:
    def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name in OUR_FILES:
            path, media_type = OUR_FILES[name]
            return _serve(request, folder / path, media_type, CHECK_EACH_TIME)
        if name in NPM_FILES:
            path, media_type = NPM_FILES[name]
            current = request.query_params.get("v") == _version(folder)
            cache = KEEP_A_YEAR if current else CHECK_EACH_TIME
            return _serve(request, folder / path, media_type, cache)
        return _not_found()

    return asset


def _file(path: Path, media_type: str) -> _Endpoint:
    def file(request: Request) -> Response:
        return _serve(request, path, media_type, CHECK_EACH_TIME)

    return file


def _version(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()[:12]


def _page(request: Request, page: str, policy: str, more: dict[str, str] | None = None) -> Response:
    headers = _page_headers(policy) | {"Cache-Control": CHECK_EACH_TIME} | (more or {})
    return _answer(request, page.encode(), "text/html", headers)


def _page_headers(policy: str) -> dict[str, str]:
    return SAFE_HEADERS | {"Content-Security-Policy": policy}


def _serve(request: Request, path: Path, media_type: str, cache: str) -> Response:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return _not_found()
    return _answer(request, content, media_type, SAFE_HEADERS | {"Cache-Control": cache})


def _answer(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = headers | {"ETag": etag}
    # Weak comparison, as RFC 9110 section 13.1.2 asks: a proxy that compresses weakens the tag.
    known = request.headers.get("if-none-match", "").replace("W/", "")
    if etag in [tag.strip() for tag in known.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _not_found() -> Response:
    return PlainTextResponse("Not found\n", status_code=404, headers=SAFE_HEADERS)


ROUTES = page_routes(WEB)
