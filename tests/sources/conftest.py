"""The Hub of these tests."""

from tests.hub_server.fixtures import hub_server

__all__ = ["hub_server"]
