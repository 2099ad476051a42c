"""The question before a new account is made, for whoever has not come from the sign-in page."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.core.deps import Deps
from domain.sign_in.consent_texts import current_version
from domain.sign_in.profiles import Held
from domain.sign_in.rules import AGREE_PATH, OWN_PATHS, ConsentKind, origin_of
from domain.sign_in.voiding import void_unkept
from graph.cookies import caller_of
from graph.forms import form_fields, form_token
from graph.sign_in_answers import answering, redirect
from graph.sign_in_faults import Fault, NoFlow, SignInRefused
from graph.sign_in_flow import Flow, check_shown, take, waiting
from graph.sign_in_pages import PATH as SIGN_IN_PATH
from graph.sign_in_pages import agree_page
from graph.sign_in_routes import FLOW_COOKIE, let_in


async def ask_to_agree(request: Request) -> Response:
    """The privacy policy, and the question whether there is to be an account."""
    deps: Deps = request.app.state.deps
    held = await _held(request)
    return_to = Flow.of_json(held.then).return_to
    elsewhere = [] if return_to in OWN_PATHS else [origin_of(return_to)]
    return agree_page(held, form_token(deps, None, held.id), elsewhere)


async def answer_agree(request: Request) -> Response:
    """Go on with the sign-in, or let go of it."""
    fields = await form_fields(request, None)
    held = await _held(request)
    check_shown(held, fields)
    version, agrees = fields.get("text_version"), fields.get("answer") == "agree"
    if agrees and version != current_version(ConsentKind.PRIVACY_POLICY):
        raise SignInRefused(Fault.OUTDATED_TEXT)
    if not await take(request):
        raise NoFlow
    if not agrees:
        await void_unkept(request.app.state.deps, held.profile, caller_of(request))
        return redirect(SIGN_IN_PATH)
    return await let_in(request, held.profile, replace(Flow.of_json(held.then), agreed_to=version))


async def _held(request: Request) -> Held:
    held = await waiting(request)
    if held is None or held.user_id is not None:
        raise NoFlow
    return held


ROUTES = [
    Route(AGREE_PATH, answering(ask_to_agree), middleware=FLOW_COOKIE),
    Route(AGREE_PATH, answering(answer_agree), methods=["POST"], middleware=FLOW_COOKIE),
]
