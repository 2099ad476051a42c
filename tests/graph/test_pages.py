import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from domain.core.settings import Feature, load_settings
from graph.pages import NPM_FILES, OUR_FILES, WEB, page_routes

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


def client(web: Path, **settings: Any) -> TestClient:
    return TestClient(Starlette(routes=page_routes(web, load_settings(**settings))))


def test_home_tells_a_browser_where_to_go() -> None:
    response = client(WEB).get("/", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["vary"] == "Accept"
    for address in ('href="/graphiql"', "http://testserver/graphql", "/health/ready"):
        assert address in response.text
    assert "<script" not in response.text
    assert "<!--" not in response.text
    assert "/sign-in" not in response.text


def test_home_leads_to_sign_in_where_a_provider_is_set_up() -> None:
    browser = client(WEB, github_client_id="Iv1.8a61f9b3a7aba766")
    assert 'href="/sign-in"' in browser.get("/", headers=BROWSER).text
    assert browser.get("/").json()["signIn"] == "/sign-in"


def test_production_leaves_out_what_shows_how_the_server_is_built(installed: Path) -> None:
    (installed.parent / "schema.graphql").write_text("type Query { a: Int }", "utf-8")
    browser = client(installed, production=True, public_url="https://api.example.com")

    page = browser.get("/graphiql", headers=BROWSER)
    assert (page.status_code, page.headers["cache-control"]) == (404, "no-store")
    assert "GraphiQL is switched off here" in page.text
    assert "CAREERGRAPH_FEATURES" in page.text
    assert browser.get("/graphiql/assets/start.js").status_code == 404
    assert browser.get("/graphiql/assets/react.js").status_code == 404
    assert browser.get("/graphiql/assets/icon.svg").status_code == 200
    assert browser.get("/schema.graphql").status_code == 404
    home = browser.get("/", headers=BROWSER).text
    assert "graphiql" not in home.replace("/graphiql/assets/icon.svg", "").lower()
    assert "schema.graphql" not in home
    assert "https://api.example.com/graphql" in home
    assert browser.get("/").json() == {
        "name": "CareerGraph",
        "graphql": "/graphql",
        "health": "/health/ready",
    }


@pytest.mark.parametrize("feature", [Feature.GRAPHIQL, Feature.INTROSPECTION])
def test_each_is_switched_on_by_itself(installed: Path, feature: Feature) -> None:
    (installed.parent / "schema.graphql").write_text("type Query { a: Int }", "utf-8")
    browser = client(installed, production=True, features=[feature])

    has_graphiql = browser.get("/graphiql").status_code == 200
    has_schema = browser.get("/schema.graphql").status_code == 200
    assert (has_graphiql, has_schema) == (feature == "graphiql", feature == "introspection")


@pytest.mark.parametrize("name", ["localhost", "[::1]", "127.0.0.2"])
def test_graphiql_opens_under_the_public_name_of_this_machine(installed: Path, name: str) -> None:
    browser = client(installed, public_url="http://127.0.0.1:8000")
    response = browser.get(f"http://{name}:8000/graphiql", follow_redirects=False)

    assert response.status_code == 307
    assert response.headers["location"] == "http://127.0.0.1:8000/graphiql"
    for elsewhere in ("http://127.0.0.1:8000", f"http://{name}:8010", "http://box.lan:8000"):
        assert browser.get(f"{elsewhere}/graphiql", follow_redirects=False).status_code == 200


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
