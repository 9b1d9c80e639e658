"""A server that vouches for itself."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the certificate of a server that vouches for itself, as 127.0.0.1."""
    openssl = shutil.which("openssl")
    assert openssl, "these tests make a certificate: install openssl"
    folder = tmp_path_factory.mktemp("tls")
    command = (
        f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        f" -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
        f" -keyout {folder / 'key.pem'} -out {folder / 'certificate.pem'}"
    )
    subprocess.run(command.split(), check=True, capture_output=True, timeout=20)  # noqa: S603 - our own arguments
    return folder / "certificate.pem"


@pytest.fixture
def self_signed(certificate: Path) -> ssl.SSLContext:
    """Return the TLS of that server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context
