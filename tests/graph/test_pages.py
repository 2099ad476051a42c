import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from graph.pages import NPM_FILES, OUR_FILES, ROUTES, WEB, page_routes

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A copy of the project's web folder in which npm's files have not been fetched."""
    folder = tmp_path / "web"
    shutil.copytree(WEB, folder, ignore=shutil.ignore_patterns("node_modules"))
    return folder


@pytest.fixture
def installed(web: Path) -> Path:
    """The same, with a stand-in for each of npm's files."""
    for name, (path, _) in NPM_FILES.items():
        file = web / "graphiql" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"/* {name} */", "utf-8")
    return web


def client(web: Path) -> TestClient:
    return TestClient(Starlette(routes=page_routes(web)))


def test_home_tells_a_browser_where_to_go() -> None:
    response = TestClient(Starlette(routes=ROUTES)).get("/", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["vary"] == "Accept"
    for address in ('href="/graphiql"', "http://testserver/graphql", "/health/ready"):
        assert address in response.text
    assert "<script" not in response.text


def test_home_answers_programs_with_addresses(web: Path) -> None:
    response = client(web).get("/", headers={"accept": "*/*"})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["vary"] == "Accept"
    assert response.json() == {
        "name": "CareerGraph",
        "graphql": "/graphql",
        "graphiql": "/graphiql",
        "schema": "/schema.graphql",
        "health": "/health/ready",
    }


def test_home_escapes_a_hostile_host_header(web: Path) -> None:
    response = client(web).get("/", headers={**BROWSER, "host": 'x"><script>alert(1)</script>'})
    assert "<script" not in response.text


def test_graphiql_page_names_only_files_that_are_served(installed: Path) -> None:
    browser = client(installed)
    page = browser.get("/graphiql")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-cache"
    addresses = [part.split('"')[0] for part in page.text.split('="/graphiql/assets/')[1:]]
    named = {address.partition("?")[0] for address in addresses}
    assert named == {*NPM_FILES, "start.js", "style.css", "icon.svg"}
    for address in addresses:
        assert browser.get(f"/graphiql/assets/{address}").status_code == 200


def test_our_modules_import_only_files_that_are_served() -> None:
    for name, (path, _) in OUR_FILES.items():
        text = (WEB / "graphiql" / path).read_text("utf-8")
        imported = {
            line.split("'./")[1].split("'")[0] for line in text.splitlines() if "'./" in line
        }
        assert imported <= set(OUR_FILES), name


@pytest.mark.parametrize("path", ["/", "/graphiql"])
def test_pages_allow_no_inline_script_and_nothing_from_elsewhere(
    installed: Path, path: str
) -> None:
    response = client(installed).get(path, headers=BROWSER)
    rules = dict(
        rule.split(" ", 1) for rule in response.headers["content-security-policy"].split("; ")
    )
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    assert rules.get("script-src", "'self'") == "'self'"
    assert rules.get("connect-src", "'self'") == "'self'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert " style=" not in response.text


def test_files_of_this_version_are_kept_and_others_checked(installed: Path) -> None:
    browser = client(installed)
    version = browser.get("/graphiql").text.split("react.js?v=")[1].split('"')[0]
    kept = browser.get(f"/graphiql/assets/react.js?v={version}")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-type"] == "text/javascript; charset=utf-8"
    for address in ("react.js", "react.js?v=old", f"start.js?v={version}"):
        response = browser.get(f"/graphiql/assets/{address}")
        assert response.headers["cache-control"] == "no-cache"


def test_a_file_the_browser_has_is_not_sent_again(installed: Path) -> None:
    browser = client(installed)
    etag = browser.get("/graphiql/assets/start.js").headers["etag"]
    again = browser.get(
        "/graphiql/assets/start.js", headers={"if-none-match": f'"other", W/{etag}'}
    )
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    (installed / "graphiql" / "start.js").write_text("changed", "utf-8")
    changed = browser.get("/graphiql/assets/start.js", headers={"if-none-match": etag})
    assert (changed.status_code, changed.text) == (200, "changed")


def test_without_npms_files_the_page_says_what_to_do(web: Path) -> None:
    browser = client(web)
    response = browser.get("/graphiql")
    assert response.status_code == 503
    assert response.headers["cache-control"] == "no-store"
    assert "make graphiql" in response.text
    assert "come from npm" in response.text
    assert browser.get("/graphiql/assets/react.js").status_code == 404
    assert browser.get("/", headers=BROWSER).status_code == 200


def test_a_half_done_install_counts_as_none(installed: Path) -> None:
    (installed / "graphiql" / NPM_FILES["graphql-ws.js"][0]).unlink()
    assert client(installed).get("/graphiql").status_code == 503


@pytest.mark.parametrize(
    "name",
    [
        "",
        "package.json",
        "graphiql.html",
        "node_modules",
        "../package.json",
        "..%2fpackage.json",
        "%2e%2e%2f%2e%2e%2fpyproject.toml",
        "..%5cpackage.json",
        "start.js%00",
        "%2fetc%2fpasswd",
        "node_modules/react/umd/react.production.min.js",
    ],
)
def test_nothing_but_the_named_files_is_served(installed: Path, name: str) -> None:
    assert client(installed).get(f"/graphiql/assets/{name}").status_code == 404


def test_schema_is_served_when_it_lies_beside_the_folder(web: Path) -> None:
    assert client(web).get("/schema.graphql").status_code == 404
    (web.parent / "schema.graphql").write_text("type Query { a: Int }", "utf-8")
    response = client(web).get("/schema.graphql")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text == "type Query { a: Int }"


@pytest.mark.parametrize("path", ["/", "/graphiql", "/graphiql/assets/start.js", "/pages.css"])
def test_head_answers_as_get_does(installed: Path, path: str) -> None:
    browser = client(installed)
    head, get = browser.head(path, headers=BROWSER), browser.get(path, headers=BROWSER)
    assert head.status_code == 200
    assert head.headers == get.headers


def test_the_lock_names_no_registry() -> None:
    lock = (WEB / "graphiql" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 50
