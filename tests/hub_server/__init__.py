"""A small Hub for the tests: bare git repositories behind the endpoints that huggingface_hub calls.

`HubServer` is the server, `Faults` and `Fault` what can go wrong on the way; tests ask for the
fixture `hub_server` of `tests.hub_server.fixtures`.
"""

from tests.hub_server.faults import Fault, Faults
from tests.hub_server.server import HubServer

__all__ = ["Fault", "Faults", "HubServer"]
