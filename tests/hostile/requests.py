"""HTTP requests that a hostile client sends, as the bytes that go over the wire."""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.hostile import values
from tests.hostile.operations import Operations

PATHS = [
    "/", "/graphiql", "/graphiql/assets/start.js", "/graphiql/assets/..%2f..%2fREADME.md",
    "/schema.graphql", "/health/live", "/health/ready", "/metrics", "/pages.css", "/favicon.ico",
    "/auth/google", "/auth/github", "/auth/callback/google", "/auth/callback/github",
    "/auth/refresh", "/auth/sign-out", "/auth/token", "/account", "/sign-in",
    "/.well-known/jwks.json", "/uploads/cv/x", "/results/gap-analyses/x", "/exports/x",
    "/graphql/", "//graphql", "/graphql/../graphql", "/%00", "/%ff",
]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]
TYPES = [
    "application/json", "application/json; charset=utf-8", "application/json; charset=utf-16",
    "application/json;;;", "application/graphql", "application/graphql-response+json",
    "text/plain", "text/html", "application/x-www-form-urlencoded", "multipart/form-data",
    "multipart/form-data; boundary=x", "multipart/mixed; boundary=", "", "*/*", "a" * 3000,
]  # fmt: skip
ACCEPTS = [
    "*/*", "application/json", "application/graphql-response+json", "text/event-stream",
    "multipart/mixed", "text/html", "image/png", "application/json;q=0", ";q=x,,,/", "", "a" * 3000,
]  # fmt: skip

Fields = dict[str, str]


class Requests:
    """Draws requests to one server. `authorization` is a good token's header."""

    def __init__(
        self, host: str, authorization: str, operations: Operations, draw: random.Random
    ) -> None:
        self._host = host
        self._authorization = authorization
        self._operations = operations
        self._draw = draw
        self._makers: list[Callable[[], bytes]] = [
            *[self._drawn_operation] * 6, self._odd_json, self._odd_parameters,
            self._torn_body, self._odd_headers, self._multipart, self._other_path, self._structure,
            self._get, self._chunked,
        ]  # fmt: skip

    def any(self) -> bytes:
        """One whole request; the server is asked to close the connection after it."""
        return self._draw.choice(self._makers)()

    def _drawn_operation(self) -> bytes:
        return self._post(_json(self._operations.any()))

    def _odd_json(self) -> bytes:
        deep = self._draw.choice([b"[", b'{"a":', b'{"query":[']) * self._draw.choice([50, 100_000])
        return self._post(
            self._draw.choice(
                [_json(values.value(self._draw)), deep, b"1" * 5_000, b'{"query":' + b"9" * 5_000,
                 b"\xff\xfe", b"", b"nul", b"NaN", b'{"query":"{__typename}"} x', b"\xef\xbb\xbf{}"]
            )
        )  # fmt: skip

    def _odd_parameters(self) -> bytes:
        body = self._operations.any()
        for name in ("query", "variables", "operationName", "extensions", "documentId", "id"):
            if self._draw.random() < 0.3:
                body[name] = values.value(self._draw)
        batch = [body] * self._draw.randrange(12)
        return self._post(_json(batch if self._draw.random() < 0.2 else body))

    def _torn_body(self) -> bytes:
        return self._post(values.torn(self._draw, _json(self._operations.any())))

    def _odd_headers(self) -> bytes:
        fields = {
            "Content-Type": self._draw.choice(TYPES),
            "Accept": self._draw.choice(ACCEPTS),
            "Authorization": self._draw.choice(
                [self._authorization, "Bearer", "Basic x", "Bearer " + "a." * 50, "Bearer a.b.c",
                 self._authorization[:-3], self._authorization * 20, "bearer \x7f"]
            ),
            "Origin": self._draw.choice(
                ["null", "https://evil.example", "", "http://" + self._host]
            ),
            "Cookie": self._draw.choice(["careergraph=x", "careergraph=a.b.c", "=;=;", "a" * 3000]),
            "X-Request-ID": self._draw.choice(["x", "a" * 3000, "<script>"]),
            "X-Forwarded-For": self._draw.choice(["1.2.3.4", "x", ",,,", "::1, 127.0.0.1"]),
            "Content-Encoding": self._draw.choice(["gzip", "br", "identity", ""]),
        }  # fmt: skip
        kept = {name: value for name, value in fields.items() if self._draw.random() < 0.5}
        return self._post(_json(self._operations.any(("query",))), kept)

    def _multipart(self) -> bytes:
        parts = [
            ("operations", _json(self._draw.choice([self._operations.any(), None, []]))),
            ("map", _json(self._draw.choice([{"0": ["variables.file"]}, {"0": 1}, [], None, "x"]))),
            ("0", b"file"),
        ]
        self._draw.shuffle(parts)
        body = b"".join(
            b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
            % (name.encode(), data)
            for name, data in parts[: self._draw.randrange(1, 4)]
        )
        end = self._draw.choice([b"--x--\r\n", b"", b"--x", b"--y--"])
        return self._post(body + end, {"Content-Type": "multipart/form-data; boundary=x"})

    def _other_path(self) -> bytes:
        path = self._draw.choice(PATHS)
        if self._draw.random() < 0.4:
            path += "?" + "&".join(
                f"{name}={self._draw.choice(['x', '%ff', '%00', '//evil.example', 'a' * 2000, ''])}"
                for name in self._draw.sample(["code", "state", "return_to", "error", "v"], 3)
            )
        body = self._draw.choice([b"", b"{}", b"null", b"a=b", _json(values.value(self._draw))])
        return self._request(self._draw.choice(METHODS), path, body, {})

    def _structure(self) -> bytes:
        size = self._draw.choice([3, 30, 300])
        return self._post(_json({"query": self._draw.choice(STRUCTURES)(size)}))

    def _get(self) -> bytes:
        query = self._draw.choice(["{__typename}", "mutation{signOut{errors{code}}}", "{", "", "%"])
        text = "".join(f"%{byte:02x}" for byte in query.encode())
        more = self._draw.choice(
            ["", "&variables=%7b", "&variables=[]", "&extensions=1", "&query=x"]
        )
        return self._request("GET", f"/graphql?query={text}{more}", b"", {})

    def _chunked(self) -> bytes:
        head = self._head("POST", "/graphql", {"Transfer-Encoding": "chunked"})
        body = _json(self._operations.any(("query",)))
        size = self._draw.choice([b"%x" % len(body), b"zz", b"-1", b"fffffffffffffffff", b""])
        return head + b"\r\n" + size + b"\r\n" + body + b"\r\n0\r\n\r\n"

    def _post(self, body: bytes, fields: Fields | None = None) -> bytes:
        return self._request("POST", "/graphql", body, fields or {})

    def _request(self, method: str, path: str, body: bytes, fields: Fields) -> bytes:
        length = {"Content-Length": str(len(body))} if body or method != "GET" else {}
        return self._head(method, path, {**fields, **length}) + b"\r\n" + body

    def _head(self, method: str, path: str, fields: Fields) -> bytes:
        usual = {
            "Host": self._host,
            "Connection": "close",
            "Authorization": self._authorization,
            "Content-Type": "application/json",
        }
        lines = [f"{name}: {value}" for name, value in {**usual, **fields}.items()]
        return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, ""]).encode("utf-8", "replace")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _fragments(size: int) -> str:
    chain = " ".join(f"fragment F{i} on User {{ ...F{i + 1} ...F{i + 1} }}" for i in range(size))
    return "{ viewer { ...F0 } } " + chain + f" fragment F{size} on User {{ id }}"


def _cycle(size: int) -> str:
    chain = " ".join(f"fragment F{i} on User {{ ...F{(i + 1) % size} }}" for i in range(size))
    return "{ viewer { ...F0 } } " + chain


def _introspection(size: int) -> str:
    return "{ __schema { types " + "{ fields { type " * size + "{ name }" + " } }" * size + " } }"


STRUCTURES: list[Callable[[int], str]] = [
    _fragments,
    _cycle,
    _introspection,
    lambda size: "{" + "a{" * size + "b" + "}" * size + "}",
    lambda size: "{ viewer { " + "name " * size + "} }",
    lambda size: "{ viewer { " + " ".join(f"a{i}: name" for i in range(size)) + " } }",
    lambda size: "{ viewer { name " + "@include(if: true) " * size + "} }",
    lambda size: "{ node(id: " + "[" * size + "]" * size + ") { id } }",
    lambda size: "query " + "(" * size,
    lambda size: " ".join(f"query Q{i} {{ viewer {{ id }} }}" for i in range(size)),
    lambda size: (
        "query (" + " ".join(f"$v{i}: Int = {i}" for i in range(size)) + ") { viewer { id } }"
    ),
    lambda size: '{ node(id: "' + "\\u{1F600}" * size + '") { id } }',
    lambda size: "#" * size * 300,
    lambda size: "{ jobs(first: " + "9" * size + ") { nodes { id } } }",
]
