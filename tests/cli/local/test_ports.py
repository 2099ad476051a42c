import socket

import pytest

from cli.local.errors import LocalServerError
from cli.local.ports import PORTS, free_ports, require_free_port


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(LocalServerError) as caught:
            require_free_port("127.0.0.1", port)
    assert str(caught.value) == (
        f"port {port} of 127.0.0.1 cannot be used: another program listens there. "
        "Choose another with --port PORT."
    )
    require_free_port("127.0.0.1", port)


def test_the_remembered_port_comes_first_unless_it_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert next(free_ports(port)) in PORTS
    assert next(free_ports(port)) == port


def test_another_address_than_this_machines_is_refused() -> None:
    with pytest.raises(LocalServerError, match="Cannot assign requested address"):
        require_free_port("192.0.2.1", 8000)
