"""The pages people see in a browser: `/`, which says where to go, and GraphiQL with its files."""

import hashlib
import html
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from domain.core.settings import Feature, Settings, is_loopback
from graph.security_headers import GRAPHIQL_POLICY, PLAIN_POLICY, SAFE_HEADERS, page_headers

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
GRAPHIQL, SCHEMA, SIGN_IN = "/graphiql", "/schema.graphql", "/sign-in"

CHECK_EACH_TIME = "no-cache"
KEEP_A_YEAR = "public, max-age=31536000, immutable"


# Endpoints are plain functions: Starlette runs them in a thread, so reading a file holds up no one.
_Endpoint = Callable[[Request], Response]


def page_routes(web: Path, settings: Settings) -> list[Route]:
    """Routes of the pages whose files lie in `web`, with `schema.graphql` beside that folder.

    The schema's text is introspection by another name, so it is served with introspection only.
    """
    pages = web / "pages"
    routes = [
        Route("/", _home(pages / "index.html", settings)),
        Route("/pages.css", _file(pages / "pages.css", CSS)),
        Route("/graphiql/assets/{name}", _asset(web / "graphiql", settings)),
    ]
    if settings.allows(Feature.INTROSPECTION):
        schema = web.parent / "schema.graphql"
        routes.append(Route(SCHEMA, _file(schema, "text/plain")))
    if settings.allows(Feature.GRAPHIQL):
        page = _graphiql(web / "graphiql", pages / "graphiql_missing.html", settings)
        routes.append(Route(GRAPHIQL, page))
    else:
        routes.append(Route(GRAPHIQL, _graphiql_off(pages / "graphiql_off.html")))
    return routes


def _home(file: Path, settings: Settings) -> _Endpoint:
    addresses = {"name": "CareerGraph", "graphql": "/graphql", **_extras(settings)}
    addresses["health"] = "/health/ready"

    def home(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(addresses, headers=SAFE_HEADERS | {"Vary": "Accept"})
        # Locally people come by more than one name and port; strangers are told the public address.
        origin = settings.public_url if settings.production else str(request.base_url).rstrip("/")
        page = _only(file.read_text("utf-8"), set(addresses))
        page = page.replace("{origin}", html.escape(origin))
        return _page(request, page, PLAIN_POLICY, {"Vary": "Accept"})

    return home


def _extras(settings: Settings) -> dict[str, str]:
    """What this server offers beside its endpoint, by the name that it has in index.html."""
    has_sign_in = settings.google_client_id or settings.github_client_id
    offered = {
        "graphiql": settings.allows(Feature.GRAPHIQL) and GRAPHIQL,
        "schema": settings.allows(Feature.INTROSPECTION) and SCHEMA,
        "signIn": has_sign_in and SIGN_IN,
    }
    return {name: address for name, address in offered.items() if address}


_PART = re.compile(r"<!-- (\w+) -->(.*?)<!-- /\1 -->", re.DOTALL)


def _only(page: str, names: set[str]) -> str:
    """The page without the parts that are marked with another name."""
    return _PART.sub(lambda part: part[2] if part[1] in names else "", page)


def _graphiql(folder: Path, missing: Path, settings: Settings) -> _Endpoint:
    can_sign_in = str("signIn" in _extras(settings)).lower()

    def graphiql(request: Request) -> Response:
        if _is_other_name(request, settings):
            # A sign-in leaves its cookies at the public address. What stands after # goes along
            # (Fetch, section 4.4).
            return RedirectResponse(settings.public_url + GRAPHIQL, headers=page_headers())
        if not all((folder / path).is_file() for path, _ in NPM_FILES.values()):
            return _notice(missing, 503)
        page = (folder / "graphiql.html").read_text("utf-8")
        page = page.replace("{version}", _version(folder)).replace("{can_sign_in}", can_sign_in)
        return _page(request, page, GRAPHIQL_POLICY)

    return graphiql


def _is_other_name(request: Request, settings: Settings) -> bool:
    """Whether this machine was asked by another of its names than the public address has."""
    asked, public = request.url, urlsplit(settings.public_url)
    names = {asked.hostname or "", public.hostname or ""}
    return asked.port == public.port and len(names) == 2 and all(map(is_loopback, names))


def _graphiql_off(file: Path) -> _Endpoint:
    def off(_request: Request) -> Response:
        return _notice(file, 404)

    return off


def _notice(file: Path, status: int) -> Response:
    """A page that says why there is no other."""
    headers = page_headers(PLAIN_POLICY) | {"Cache-Control": "no-store"}
    return HTMLResponse(file.read_text("utf-8"), status_code=status, headers=headers)


def _asset(folder: Path, settings: Settings) -> _Endpoint:
    is_on = settings.allows(Feature.GRAPHIQL)

    def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if not is_on and name != "icon.svg":  # other pages show it too
            return _not_found()
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
    headers = page_headers(policy) | {"Cache-Control": CHECK_EACH_TIME} | (more or {})
    return _answer(request, page.encode(), "text/html", headers)


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
