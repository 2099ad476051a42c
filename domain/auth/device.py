"""What kind of device a request came from, in words a person knows. Pure."""

import re

UNKNOWN_DEVICE = "Unknown device"
_NAME_MAX = 60

# The first that is found names it. Every browser claims to be others too, so the order matters:
# https://developer.mozilla.org/docs/Web/HTTP/Guides/Browser_detection_using_the_user_agent
_BROWSERS = (
    (r"\bEdg(A|iOS)?/", "Edge"),
    (r"\b(OPR|Opera)/", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\bVivaldi/", "Vivaldi"),
    (r"\b(Firefox|FxiOS)/", "Firefox"),
    (r"\bHeadlessChrome/", "Headless Chrome"),
    (r"\b(Chrome|CriOS)/", "Chrome"),
    (r"\bChromium/", "Chromium"),
    (r"\bVersion/[\d.]+ .*\bSafari/", "Safari"),
)
_SYSTEMS = (
    (r"\biPhone\b", "iPhone"),
    (r"\biPad\b", "iPad"),
    (r"\bAndroid\b", "Android"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bWindows\b", "Windows"),
    (r"\bMac OS X\b|\bMacintosh\b", "macOS"),
    (r"\bLinux\b|\bX11\b", "Linux"),
)
# The first product of the header (RFC 9110, section 10.1.5), for programs that are no browsers.
_PRODUCT = re.compile(r"[A-Za-z][\w.+-]*(/[\w.+-]+)?", re.ASCII)


def device_name(user_agent: str | None) -> str:
    """Such as "Firefox on Linux", or the program's own name; at most 60 characters."""
    text = user_agent or ""
    browser, system = _first(_BROWSERS, text), _first(_SYSTEMS, text)
    if browser and system:
        return f"{browser} on {system}"
    if browser or system:
        return browser or system
    product = _PRODUCT.match(text)
    if product is None or product.group().startswith("Mozilla/"):
        return UNKNOWN_DEVICE
    return product.group().replace("/", " ")[:_NAME_MAX]


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for pattern, name in names if re.search(pattern, text)), "")
