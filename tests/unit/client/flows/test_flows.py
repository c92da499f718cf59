# SPDX-License-Identifier: Apache-2.0
"""What flows know of a server, when several threads use one client."""

from trireel_client import ServerInfo
from trireel_client._config import Address
from trireel_client._flows.flows import Server, run, server_info

INFO = ServerInfo("triton", "2.51.0")


class Forgotten(Server):
    """Another thread's `forget()` comes right after each look at `info`."""

    @property
    def info(self):
        found, self._found = self._found, None
        return found

    @info.setter
    def info(self, info):
        self._found = info


def test_a_server_stays_known_if_another_thread_forgets_it():
    server = Forgotten(Address("127.0.0.1", 8001), INFO)
    assert run(server_info(server), lambda call: None) == INFO


def test_a_server_is_asked_who_it_is_once():
    server, asked = Server(Address("127.0.0.1", 8001)), []

    def perform(call):
        asked.append(call)
        return INFO

    assert [run(server_info(server), perform) for _ in range(2)] == [INFO, INFO]
    assert len(asked) == 1
