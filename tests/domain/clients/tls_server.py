"""A real TLS server on loopback that answers raw bytes, with a certificate authority of its own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Route = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
"""All bytes of an answer, or what writes them."""


@dataclass
class TLSServer:
    """What it was asked, and what it answers by path."""

    port: int
    routes: dict[str, Route]
    requests: list[bytes] = field(default_factory=list)
    """Heads of requests as they came."""
    connections: int = 0
    names: list[str | None] = field(default_factory=list)
    """Of each handshake: the server name that was asked for (SNI)."""


@dataclass(frozen=True)
class Authority:
    """Signs certificates; `trust` is a context that trusts them."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(folder, _certificate("Test CA", key.public_key(), "Test CA", key, []), key)

    def trust(self) -> ssl.SSLContext:
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def context(self, *names: str) -> ssl.SSLContext:
        """What a server for these names or addresses presents."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(names[0], key.public_key(), "Test CA", self.key, list(names))
        path = self.folder / f"{abs(hash(names))}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _certificate(
    subject: str,
    public_key: ec.EllipticCurvePublicKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    names: list[str],
) -> x509.Certificate:
    at = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@asynccontextmanager
async def tls_server(
    context: ssl.SSLContext, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[TLSServer]:
    """The server at a loopback address, until the block ends."""
    state = TLSServer(port, {})

    def note_name(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        state.names.append(name)

    context.sni_callback = note_name

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            state.requests.append(head)
            route = state.routes[head.split(b" ")[1].decode()]
            if isinstance(route, bytes):
                writer.write(route)
                await writer.drain()
            else:
                await route(writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client has heard enough
        finally:
            writer.close()

    server = await asyncio.start_server(serve, address, port, ssl=context)
    state.port = server.sockets[0].getsockname()[1]
    async with server:
        yield state


def answer(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """A whole answer; `content_type` becomes Content-Type."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
