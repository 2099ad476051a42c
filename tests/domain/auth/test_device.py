"""Devices by their user agents."""

import pytest

from domain.auth.device import UNKNOWN_DEVICE, device_name

LINUX = "Mozilla/5.0 (X11; Linux x86_64"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{LINUX}; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (f"{LINUX}) {CHROME} Safari/537.36", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/142.0.0.0",
         "Edge on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 OPR/124.0",
         "Opera on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.1 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) Version/18.1 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 15; K) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (f"{LINUX}) {CHROME.replace('Chrome', 'HeadlessChrome')} Safari/537.36",
         "Headless Chrome on Linux"),
        ("python-httpx/0.28.1", "python-httpx 0.28.1"),
        ("curl/8.5.0", "curl 8.5.0"),
        ("careergraph token", "careergraph"),
        ("Mozilla/5.0 (compatible)", UNKNOWN_DEVICE),
        ("Mozilla/5.0 (X11; CrOS x86_64)", "ChromeOS"),
        ("<script>", UNKNOWN_DEVICE),
        ("", UNKNOWN_DEVICE),
        (None, UNKNOWN_DEVICE),
        ("x" * 5000, "x" * 60),
    ],
)  # fmt: skip
def test_names(user_agent: str | None, name: str) -> None:
    assert device_name(user_agent) == name
