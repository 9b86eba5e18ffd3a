"""Who may do what: access tokens with a user and a right, which can be taken back."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

from tests.hub_server.errors import HubError

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Account:
    """Whom a token stands for. `right` is "read" or "write"."""

    user: str
    right: str


class Tokens:
    """The tokens that the server knows. They are drawn afresh for each server, so that a test can
    look for them in files, logs and requests."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._revoked: set[str] = set()

    def create(self, user: str, right: str) -> str:
        token = "hf_" + "".join(secrets.choice(_ALPHABET) for _ in range(34))
        self._accounts[token] = Account(user, right)
        return token

    def revoke(self, token: str) -> None:
        self._revoked.add(token)

    def restore(self, token: str) -> None:
        self._revoked.discard(token)

    def known(self) -> list[str]:
        return list(self._accounts)

    def account(self, authorization: str | None) -> Account | None:
        """Whom an Authorization header stands for; None without one.

        Raises:
            HubError: 401, for a token that is unknown or was revoked.
        """
        if authorization is None:
            return None
        token = authorization.removeprefix("Bearer ")
        if token not in self._accounts or token in self._revoked:
            raise HubError(401, "Invalid credentials in Authorization header")
        return self._accounts[token]


def token_of(authorization: str | None) -> str | None:
    return None if authorization is None else authorization.removeprefix("Bearer ")


def must_be_somebody(account: Account | None) -> Account:
    if account is None:
        raise HubError(401, "Invalid username or password.")
    return account


def must_write(account: Account | None, namespace: str) -> Account:
    """The account, where it may write to this namespace.

    Raises:
        HubError: 401 without a token, 403 with one that may not.
    """
    somebody = must_be_somebody(account)
    if somebody.right != "write":
        raise HubError(403, "The token in use has the right to read only")
    if somebody.user != namespace:
        raise HubError(403, f"You may not write to the namespace {namespace}")
    return somebody
