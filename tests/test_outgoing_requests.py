"""Which modules may make requests of their own."""

import ast
from pathlib import Path

# Who else makes requests, and whose addresses they are: of the configuration, never of users.
OTHER_CLIENTS = {
    "cli/up.py",  # its own server's health
    "domain/auth/external_issuers.py",  # issuers of the settings
    "domain/auth/issuer_keys.py",
    "domain/clients/claude.py",  # the model's address of the settings
    "domain/clients/claude_errors.py",
    "domain/clients/identity_providers.py",  # providers of the settings
    "domain/clients/guarded_http.py",
    "graph/sign_in_oauth.py",
}
NETWORK = {"httpx", "httpx2", "httpcore2", "requests", "aiohttp", "http.client", "urllib.request"}


def test_no_other_module_makes_requests(project: Path) -> None:
    found = set()
    for folder in ("cli", "domain", "graph", "jobs"):
        for file in (project / folder).rglob("*.py"):
            if imported(file) & NETWORK:
                found.add(str(file.relative_to(project)))
    assert found <= OTHER_CLIENTS, "user-given addresses go through GuardedHTTP"


def imported(file: Path) -> set[str]:
    """Modules that a module imports, and their packages."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names | {name.partition(".")[0] for name in names}
