# SPDX-License-Identifier: Apache-2.0
"""TLS: from files of certificates to the arguments of gRPC and HTTP."""

import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trireel_client._config import Address
from trireel_client._errors import InvalidTls

File = str | os.PathLike[str]


@dataclass(frozen=True)
class Tls:
    """The TLS settings of a client; the server's certificate and name are always verified.

    `Tls()` trusts the system's authorities, as OpenSSL finds them (`SSL_CERT_FILE` and
    `SSL_CERT_DIR` move them). The files are read when a client is made: make a new client after a
    certificate was renewed.
    """

    ca_file: File | None = None
    """File of authorities to trust instead of the system's, or of the server's certificate, PEM."""
    certificate_file: File | None = None
    """File of this client's certificate and its chain to an authority, PEM, if the server requires
    one; it needs `key_file`."""
    key_file: File | None = None
    """File of the key of that certificate, PEM, without a password."""
    server_name: str | None = None
    """Name that the server's certificate must have, if it is not the address."""

    def __post_init__(self) -> None:
        if (self.certificate_file is None) != (self.key_file is None):
            missing = "key_file" if self.key_file is None else "certificate_file"
            raise InvalidTls(
                f"{missing} is missing: a client's certificate and its key go together"
            )
        if self.server_name is not None and not self.server_name.strip():
            raise InvalidTls("server_name is empty: give a name, or leave it out")


def context_of(tls: Tls) -> ssl.SSLContext:
    """Return the context of connections that verify the server; raises InvalidTls."""
    _authorities(tls)
    cafile = None if tls.ca_file is None else os.fspath(tls.ca_file)
    context = ssl.create_default_context(cafile=cafile)
    # Trust a certificate that is in ca_file, whoever signed it, as gRPC does.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _show_certificate(context, tls)
    return context


def grpc_arguments(tls: Tls | None) -> dict[str, Any]:
    """Return the arguments of a `tritonclient.grpc` client; raises InvalidTls."""
    if tls is None:
        return {}
    import grpc

    authorities = _authorities(tls)
    _show_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), tls)
    own: list[bytes | None] = [None, None]
    if tls.key_file is not None and tls.certificate_file is not None:
        own = [_read("key_file", tls.key_file), _read("certificate_file", tls.certificate_file)]
    return {"creds": grpc.ssl_channel_credentials(authorities, *own)}


def http_arguments(tls: Tls | None, address: Address) -> dict[str, Any]:
    """Return the arguments of a `tritonclient.http` client; raises InvalidTls."""
    if tls is None:
        return {}
    options: dict[str, Any] = {
        "ca_certs": None if tls.ca_file is None else os.fspath(tls.ca_file),
        "verify_flags": context_of(tls).verify_flags,
        "server_hostname": tls.server_name or address.host,
    }
    if tls.certificate_file is not None and tls.key_file is not None:
        options["certfile"] = os.fspath(tls.certificate_file)
        options["keyfile"] = os.fspath(tls.key_file)
    return {"ssl": True, "ssl_options": options}


def _authorities(tls: Tls) -> bytes:
    """Return the authorities to trust, PEM; raises InvalidTls."""
    if tls.ca_file is None:
        return _system_authorities()
    authorities = _read("ca_file", tls.ca_file)
    try:
        ssl.create_default_context(cafile=os.fspath(tls.ca_file))
    except ssl.SSLError as error:
        raise InvalidTls(
            f"ca_file {os.fspath(tls.ca_file)!r} holds no certificate: give a PEM file"
        ) from error
    return authorities


def _system_authorities() -> bytes:
    """Return the system's authorities, which gRPC for Python does not use by itself."""
    context = ssl.create_default_context()
    folder = ssl.get_default_verify_paths().capath
    # OpenSSL searches the folder for each certificate, and does not list it.
    for file in Path(folder).glob("*.[0-9]") if folder else ():
        with suppress(OSError):
            context.load_verify_locations(file)
    found = context.get_ca_certs(binary_form=True)
    if not found:
        raise InvalidTls(
            "this system has no certificate authorities: install them, or give ca_file"
        )
    return "".join(map(ssl.DER_cert_to_PEM_cert, found)).encode()


def _show_certificate(context: ssl.SSLContext, tls: Tls) -> None:
    """Add the client's certificate to a context if there is one; raises InvalidTls."""
    if tls.certificate_file is None or tls.key_file is None:
        return
    certificate, key = os.fspath(tls.certificate_file), os.fspath(tls.key_file)
    _read("certificate_file", certificate)
    _read("key_file", key)

    def refuse() -> str:  # OpenSSL would ask for a password on the terminal
        raise InvalidTls(f"key_file {key!r} has a password: give one without")

    try:
        context.load_cert_chain(certificate, key, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            reason = "the key belongs to another certificate"
        else:
            reason = "they are not a certificate and its key in PEM"
        raise InvalidTls(
            f"certificate_file {certificate!r} and key_file {key!r} cannot be used: {reason}"
        ) from error


def _read(name: str, file: File) -> bytes:
    try:
        return Path(file).read_bytes()
    except FileNotFoundError as error:
        raise InvalidTls(f"{name}: there is no file {os.fspath(file)!r}") from error
    except OSError as error:
        raise InvalidTls(f"{name} {os.fspath(file)!r} cannot be read: {error.strerror}") from error
