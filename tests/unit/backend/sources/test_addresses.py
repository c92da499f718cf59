# SPDX-License-Identifier: Apache-2.0
"""The addresses that the server may reach, and those inside its network that it must not."""

import socket

import pytest

from trireel_backend.errors import SourceRefused, StartupError, Unavailable, VideoNotFound
from trireel_backend.sources import addresses
from trireel_backend.sources.addresses import (
    checked_addresses,
    parse_networks,
    resolve_host,
)
from trireel_schema.networks import may_be_reached

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "ff0e::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fd00:ec2::254",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "64:ff9b::168.63.129.16",
    "not an address",
    "",
    "1.2.3",
    "0177.0.0.1",
    "2130706433",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "168.63.129.15",
    "168.63.129.17",
]


@pytest.mark.parametrize("address", INSIDE)
def test_the_inside_is_not_reached(address):
    assert not may_be_reached(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_is_reached(address):
    assert may_be_reached(address, ())


def test_allowed_networks_are_reached_and_no_more():
    allowed = parse_networks("10.1.0.0/16, fd12::/16,127.0.0.1/32,168.63.129.16/32")
    reached = ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "127.0.0.1", "168.63.129.16", "8.8.8.8")
    for address in reached:
        assert may_be_reached(address, allowed), address
    for address in ("10.2.0.1", "127.0.0.2", "fd13::1", "169.254.169.254"):
        assert not may_be_reached(address, allowed), address


@pytest.mark.parametrize("text", ["10.0.0.1/8", "ten", "10.0.0.0/33", "10.0.0.0/8;127.0.0.0/8"])
def test_a_text_that_is_not_a_network_is_rejected(text):
    with pytest.raises(StartupError, match="give CIDR"):
        parse_networks(text)


def test_one_bad_address_among_good_ones_is_rejected():
    with pytest.raises(SourceRefused, match=r"host 'cdn.example' leads to an address") as raised:
        checked_addresses("cdn.example", 80, lambda host, port: ["8.8.8.8", "10.9.8.7"], ())
    assert "10.9.8.7" not in str(raised.value)  # a client learns nothing about the network


def test_good_addresses_are_returned_unchanged():
    public = ["8.8.8.8", "2606:4700::1111"]
    assert checked_addresses("cdn.example", 80, lambda host, port: public, ()) == public


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0", "localhost", "::1"]
)
def test_loopback_is_rejected_however_it_is_written(host):
    with pytest.raises(SourceRefused, match="not public"):
        checked_addresses(host, 80, resolve_host, ())


def test_an_unknown_host_is_not_found(monkeypatch):
    def no_such_host(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(addresses.socket, "getaddrinfo", no_such_host)
    with pytest.raises(VideoNotFound, match=r"no host 'nowhere.example'"):
        resolve_host("nowhere.example", 80)


def test_without_a_name_server_the_host_is_unavailable(monkeypatch):
    def no_answer(*args, **kwargs):
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(addresses.socket, "getaddrinfo", no_answer)
    with pytest.raises(Unavailable, match="could not be looked up"):
        resolve_host("some.example", 80)


def test_an_invalid_host_name_is_not_found():
    with pytest.raises(VideoNotFound, match="no host"):
        resolve_host("a" * 300, 80)
