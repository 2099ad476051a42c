"""What can keep somebody from signing in, as they are told."""

from dataclasses import dataclass
from enum import StrEnum

from domain.sign_in.actions import LinkReason


class Fault(StrEnum):
    """Why a sign-in ends in a page about it. The names go into the audit log."""

    NOT_CONFIGURED = "NOT_CONFIGURED"
    BAD_REQUEST = "BAD_REQUEST"
    BAD_RETURN = "BAD_RETURN"
    BAD_STATE = "BAD_STATE"
    DENIED = "DENIED"
    CODE_REFUSED = "CODE_REFUSED"
    PROVIDER_DOWN = "PROVIDER_DOWN"
    PROVIDER_SLOW = "PROVIDER_SLOW"
    BAD_ANSWER = "BAD_ANSWER"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    OF_ANOTHER_ACCOUNT = "OF_ANOTHER_ACCOUNT"
    EMAIL_UNVERIFIED = "EMAIL_UNVERIFIED"
    EMAIL_OF_ANOTHER_ACCOUNT = "EMAIL_OF_ANOTHER_ACCOUNT"
    NOTHING_TO_LINK = "NOTHING_TO_LINK"
    SOMETHING_ELSE_SHOWN = "SOMETHING_ELSE_SHOWN"
    NO_GITHUB_IDENTITY = "NO_GITHUB_IDENTITY"
    OTHER_GITHUB_ACCOUNT = "OTHER_GITHUB_ACCOUNT"
    SCOPE_NOT_GRANTED = "SCOPE_NOT_GRANTED"
    OUTDATED_TEXT = "OUTDATED_TEXT"
    BAD_FORM = "BAD_FORM"
    LAST_WAY_IN = "LAST_WAY_IN"
    TOO_MANY = "TOO_MANY"
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True)
class FaultText:
    """{provider} is the provider's name."""

    status: int
    title: str
    what: str
    remedy: str


_TRY_AGAIN = "Nothing was changed. Start the sign-in again."
_LATER = "Nothing was changed. Try again in a minute, or sign in another way."

TEXTS = {
    Fault.NOT_CONFIGURED: FaultText(
        404,
        "Not available here",
        "This server is not set up for signing in with {provider}.",
        "Sign in another way. Whoever runs the server can switch it on with the provider's client "
        "id and secret.",
    ),
    Fault.BAD_REQUEST: FaultText(
        400,
        "This link is not complete",
        "The address that led here lacks something, or has something that does not belong there. "
        "An app needs client=app, an S256 code_challenge and a return_to of its own.",
        "Go back to where you came from and start the sign-in again.",
    ),
    Fault.BAD_RETURN: FaultText(
        400,
        "This sign-in would end somewhere unknown",
        "The address that led here asks to go on, after the sign-in, to a page that this server "
        "does not know.",
        "Start the sign-in from CareerGraph itself.",
    ),
    Fault.BAD_STATE: FaultText(
        400,
        "This sign-in is over",
        "It was not started in this browser, took longer than 15 minutes, or was used already.",
        _TRY_AGAIN,
    ),
    Fault.DENIED: FaultText(
        403,
        "You did not agree",
        "{provider} says that access was not granted.",
        "Nothing was changed. Start again if you want to agree after all.",
    ),
    Fault.CODE_REFUSED: FaultText(
        400,
        "{provider} does not confirm this sign-in",
        "The confirmation was used before or took too long.",
        _TRY_AGAIN,
    ),
    Fault.PROVIDER_DOWN: FaultText(
        502, "{provider} does not answer", "{provider} cannot be reached right now.", _LATER
    ),
    Fault.PROVIDER_SLOW: FaultText(
        504, "{provider} takes too long", "{provider} did not answer in time.", _LATER
    ),
    Fault.BAD_ANSWER: FaultText(
        502,
        "{provider} gave an answer that cannot be trusted",
        "What {provider} said about you is incomplete, or not meant for this sign-in.",
        _LATER,
    ),
    Fault.ACCOUNT_CLOSED: FaultText(
        409,
        "This account is being deleted",
        "Its deletion was asked for and is under way.",
        "Once it is done you can sign in again, to a new and empty account.",
    ),
    Fault.OF_ANOTHER_ACCOUNT: FaultText(
        409,
        "This sign-in belongs to another account",
        "It already leads to an account other than the one you are signed in to.",
        "To enter that account, sign out first. To move the sign-in here, unlink it there first.",
    ),
    Fault.EMAIL_UNVERIFIED: FaultText(
        409,
        "The e-mail address is not verified",
        "{provider} does not vouch for an e-mail address of yours, so it cannot be linked.",
        "Verify your address at {provider}, then try again.",
    ),
    Fault.EMAIL_OF_ANOTHER_ACCOUNT: FaultText(
        409,
        "Another account has this e-mail address",
        "The address that {provider} gives is that of an account other than the one you are "
        "signed in to.",
        "Sign out, sign in to that account, and link it there.",
    ),
    Fault.NOTHING_TO_LINK: FaultText(
        410,
        "Nothing waits to be linked",
        "It was linked or turned down already, or more than 15 minutes have passed.",
        "Start the sign-in again to link it.",
    ),
    Fault.SOMETHING_ELSE_SHOWN: FaultText(
        409,
        "This page is about another sign-in",
        "Another sign-in was started in this browser after the page was shown, and only the last "
        "one waits for your answer.",
        "Nothing was changed. Start the sign-in that you mean again.",
    ),
    Fault.NO_GITHUB_IDENTITY: FaultText(
        409,
        "Your account has no GitHub sign-in yet",
        "Repositories are read from the GitHub account that you sign in with.",
        "Link GitHub on your account page first.",
    ),
    Fault.OTHER_GITHUB_ACCOUNT: FaultText(
        409,
        "That is another GitHub account",
        "The GitHub account that agreed is not the one linked to your account.",
        "Sign in to the linked account at GitHub, then turn repository analysis on again.",
    ),
    Fault.SCOPE_NOT_GRANTED: FaultText(
        403,
        "GitHub did not let us in",
        "GitHub did not grant reading repositories, so repository analysis stays off.",
        "Turn it on again if you want to grant it after all.",
    ),
    Fault.OUTDATED_TEXT: FaultText(
        409,
        "The text has changed",
        "There is a newer version of what you were about to agree to.",
        "Read the new one, then decide.",
    ),
    Fault.BAD_FORM: FaultText(
        403,
        "This form is too old",
        "It does not belong to your present session, or it came from somewhere else.",
        "Nothing was changed. Open the page again and repeat what you did.",
    ),
    Fault.LAST_WAY_IN: FaultText(
        409,
        "This is the only way into your account",
        "Without it nobody could sign in to the account any more.",
        "Link another sign-in first, or delete the account.",
    ),
    Fault.TOO_MANY: FaultText(
        429,
        "Too many sign-ins",
        "There were too many calls from your network address.",
        "Wait a minute, then try again.",
    ),
    Fault.BROKEN: FaultText(
        500,
        "Something went wrong on our side",
        "It is no fault of yours, and whether anything was changed is not known.",
        "Try again in a minute.",
    ),
}

OF_LINK = {
    LinkReason.OF_ANOTHER_ACCOUNT: Fault.OF_ANOTHER_ACCOUNT,
    LinkReason.EMAIL_UNVERIFIED: Fault.EMAIL_UNVERIFIED,
    LinkReason.EMAIL_OF_ANOTHER_ACCOUNT: Fault.EMAIL_OF_ANOTHER_ACCOUNT,
}


class SignInRefused(Exception):
    """A sign-in ends here. `detail` is for the log, not for people."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail


class NoFlow(SignInRefused):
    """Someone comes back from a provider, or answers, though nothing waits for them here.

    Anybody can do that as often as they like, so the audit log has no row for it.
    """

    def __init__(self, detail: str = "") -> None:
        super().__init__(Fault.BAD_STATE, detail)
