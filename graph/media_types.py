"""Which media type a client takes: `Accept` as RFC 9110, section 12.5.1, says it."""

import re
from functools import lru_cache

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
HTML = "text/html"

_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
_ANY, _ANY_SUBTYPE, _EXACT = 1, 2, 3
_LONGEST_KEPT = 300


def answer_type(accept: str | None) -> str | None:
    """The type to answer in: RESPONSE_JSON, JSON, or None when neither is taken.

    Of two that are taken alike, the one named exactly wins; when both are, RESPONSE_JSON does.
    Who names neither, or sends no header, gets JSON, as clients did before the specification.
    """
    if accept is None or not accept.strip():
        return JSON
    return _chosen(accept) if len(accept) > _LONGEST_KEPT else _kept(accept)


def prefers_page(accept: str | None) -> bool:
    """Whether this is a browser that opens an address: it would rather have a page than data."""
    if accept is None or HTML not in accept:
        return False
    taken = _weights(accept)
    page = _weight(taken, HTML)[0]
    return page > max(_weight(taken, JSON)[0], _weight(taken, RESPONSE_JSON)[0])


def _chosen(accept: str) -> str | None:
    taken = _weights(accept)
    response, json = _weight(taken, RESPONSE_JSON), _weight(taken, JSON)
    if max(response, json)[0] == 0:
        return None
    if response == json:
        return RESPONSE_JSON if response[1] == _EXACT else JSON
    return RESPONSE_JSON if response > json else JSON


# Nearly all clients send one of a few values.
_kept = lru_cache(maxsize=128)(_chosen)


def _weights(accept: str) -> dict[str, float]:
    """Range to weight. A range we could not answer in, for its charset, is left out."""
    found: dict[str, float] = {}
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            value = value.strip().strip('"')
            if key.strip() == "q" and _WEIGHT.fullmatch(value):
                weight = float(value)
            if key.strip() == "charset" and value not in ("utf-8", "utf8"):
                weight = -1.0
        if weight >= 0:
            found[name] = max(weight, found.get(name, 0.0))
    return found


def _weight(taken: dict[str, float], media_type: str) -> tuple[float, int]:
    """How much a type is wanted, 0 to 1, and how exactly it was named."""
    family = media_type.partition("/")[0] + "/*"
    for name, exactness in ((media_type, _EXACT), (family, _ANY_SUBTYPE), ("*/*", _ANY)):
        if name in taken:
            return taken[name], exactness
    return 0.0, 0
