"""An OpenID provider that cheats, errs, or is not the one it should be."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from domain.profile.documents import User
from tests.graph.sign_in.browser import path_of
from tests.graph.sign_in.conftest import OpenBrowser, World
from tests.graph.sign_in.refusal import assert_refused
from tests.oidc_server import CheatingProvider, Claims

CHEATS: dict[str, Callable[[Claims], Claims]] = {
    "another nonce": lambda claims: claims | {"nonce": "another"},
    "no nonce": lambda claims: claims | {"nonce": None},
    "for another client": lambda claims: claims | {"aud": "somebody-else"},
    "for another client, by us": lambda claims: (
        claims | {"aud": "somebody-else", "azp": "google-client"}
    ),
    "for nobody": lambda claims: claims | {"aud": None},
    "of another issuer": lambda claims: claims | {"iss": "https://accounts.google.com"},
    "of no issuer": lambda claims: claims | {"iss": None},
    "expired": lambda claims: claims | {"iat": claims["iat"] - 900, "exp": claims["iat"] - 600},
    "without an end": lambda claims: claims | {"exp": None},
    "from tomorrow": lambda claims: claims | {"iat": claims["iat"] + 86_400},
    "about nobody": lambda claims: claims | {"sub": None},
    "about a number": lambda claims: claims | {"sub": 7},
    "about an empty name": lambda claims: claims | {"sub": ""},
    "about too long a name": lambda claims: claims | {"sub": "x" * 256},
}


@pytest.mark.parametrize("change", CHEATS.values(), ids=CHEATS.keys())
async def test_an_id_token_must_be_right(
    cheated: World,
    cheat: CheatingProvider,
    open_browser: OpenBrowser,
    change: Callable[[Claims], Claims],
) -> None:
    browser = await open_browser(cheated)
    before = await User.count()
    cheat.change = change

    response = await browser.sign_in("google")

    await assert_refused(response, 502, "Google gave an answer that cannot be trusted")
    assert await User.count() == before


async def test_an_id_token_must_be_signed_by_the_provider(
    cheated: World, cheat: CheatingProvider, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(cheated)
    cheat.signs_with_other_key = True

    response = await browser.sign_in("google")

    await assert_refused(response, 502, "Google gave an answer that cannot be trusted")


NO_SIGNATURE = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaGVhdCJ9."


@pytest.mark.parametrize(
    "answer",
    [
        {"id_token": None},
        {"id_token": NO_SIGNATURE},
        {"id_token": "x"},
        {"id_token": ["x"]},
        {"access_token": None},
        {"access_token": ["x"]},
    ],
)
async def test_an_answer_without_what_it_must_hold_is_refused(
    cheated: World, cheat: CheatingProvider, open_browser: OpenBrowser, answer: dict[str, Any]
) -> None:
    browser = await open_browser(cheated)
    cheat.answer_change = answer

    response = await browser.sign_in("google")

    await assert_refused(response, 502, "Google gave an answer that cannot be trusted")


async def test_a_new_key_of_the_provider_is_fetched(
    cheated: World, cheat: CheatingProvider, open_browser: OpenBrowser
) -> None:
    assert path_of(await (await open_browser(cheated)).sign_in("google")) == "/account"
    cheat.rotate_key()

    assert path_of(await (await open_browser(cheated)).sign_in("google")) == "/account"


@pytest.mark.parametrize(
    ("garbage", "title"),
    [
        (PlainTextResponse("<html>"), "Google gave an answer that cannot be trusted"),
        (JSONResponse([1]), "Google gave an answer that cannot be trusted"),
        (JSONResponse({}), "Google gave an answer that cannot be trusted"),
        (PlainTextResponse("down", 503), "Google does not answer"),
    ],
)
@pytest.mark.parametrize("what", ["metadata", "token"])
async def test_garbage_is_not_understood(
    cheated: World, cheat: CheatingProvider, open_browser: OpenBrowser,
    what: str, garbage: PlainTextResponse, title: str,
) -> None:  # fmt: skip
    browser = await open_browser(cheated)
    cheat.garbage[what] = garbage

    response = await browser.get("/auth/google")
    if what == "token":
        response = await browser.get(await browser.consent(response))

    await assert_refused(response, 502, title)


async def test_the_metadata_must_be_of_the_configured_issuer(
    cheated: World, cheat: CheatingProvider, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(cheated)
    for change in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
    ):
        cheat.metadata_change = change
        response = await browser.get("/auth/google")
        await assert_refused(response, 502, "Google gave an answer that cannot be trusted")
