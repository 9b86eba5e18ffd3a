"""What can go wrong between a client and a Hub, on order or at random, and a log of what did."""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """The kinds of fault."""

    LATENCY = "latency"  # the answer is late, and right
    TOO_MANY_REQUESTS = "too many requests"  # 429 with Retry-After
    SERVER_ERROR = "server error"  # 500; nothing was done
    UNAVAILABLE = "unavailable"  # 503; nothing was done
    RESET_UPLOAD = "reset upload"  # the connection breaks when half of the body was read
    LOST_RESPONSE = "lost response"  # all was done; the connection breaks before the answer
    TRUNCATED_DOWNLOAD = "truncated download"  # half of the file, then the connection breaks
    OUT_OF_SPACE = "out of space"  # 507 by default; nothing was kept
    ECHOED_TOKEN = "echoed token"  # a refusal whose message repeats the request's token
    REVOKED_TOKEN = "revoked token"  # the request's token is worth nothing from here on


# A fault that could not happen at an endpoint would make a test that can only pass.
_ONLY_AT = {
    Fault.RESET_UPLOAD: frozenset({"preupload", "commit", "lfs_batch", "lfs_put"}),
    Fault.TRUNCATED_DOWNLOAD: frozenset({"download"}),
    Fault.OUT_OF_SPACE: frozenset({"lfs_put", "commit"}),
}
_TOKENLESS = frozenset({"lfs_put"})
_NEVER_AT = {Fault.REVOKED_TOKEN: _TOKENLESS, Fault.ECHOED_TOKEN: _TOKENLESS}


@dataclass(frozen=True)
class Injection:
    """A fault with what it needs to know.

    Attributes:
        fault: Its kind.
        seconds: How late LATENCY makes the answer.
        retry_after: Seconds that TOO_MANY_REQUESTS asks to wait.
        status: HTTP status of OUT_OF_SPACE and ECHOED_TOKEN.
    """

    fault: Fault
    seconds: float = 0.05
    retry_after: int = 0
    status: int = 507


class Faults:
    """The faults of one server.

    Args:
        endpoints: Names of the endpoints there are.
    """

    def __init__(self, endpoints: Iterable[str]) -> None:
        self.endpoints = frozenset(endpoints)
        self.log: list[tuple[str, Fault]] = []  # (endpoint, fault), as they happened
        self._scripts: dict[str, deque[Injection | None]] = defaultdict(deque)
        self._rates: dict[str, dict[Fault, float]] = {}
        self._settings: dict[str, float] = {}
        self._seed = 0
        self._requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def next(
        self, endpoint: str, fault: Fault, *, times: int = 1, after: int = 0, **settings: float
    ) -> None:
        """Script: let `after` requests of this endpoint pass, then inject `times` times.

        Scripts of one endpoint queue up. `settings` are those of `Injection`.

        Raises:
            ValueError: If the fault cannot happen at that endpoint.
        """
        self._must_suit(endpoint, fault)
        injection = Injection(fault, **settings)
        with self._lock:
            self._scripts[endpoint].extend([None] * after + [injection] * times)

    def randomly(
        self, seed: int, rates: Mapping[str, Mapping[Fault, float]], **settings: float
    ) -> None:
        """Let each request of an endpoint meet a fault with the given probability.

        What the n-th request of an endpoint meets depends on the seed, the endpoint and n alone,
        however requests of different endpoints interleave.

        Raises:
            ValueError: If a fault cannot happen at its endpoint, or rates sum to more than 1.
        """
        for endpoint, faults in rates.items():
            for fault in faults:
                self._must_suit(endpoint, fault)
            if sum(faults.values()) > 1:
                raise ValueError(f"the rates of {endpoint} sum to more than 1")
        with self._lock:
            self._seed, self._settings = seed, settings
            self._rates = {endpoint: dict(faults) for endpoint, faults in rates.items()}
            self._requests.clear()

    def everywhere(self, seed: int, rates: Mapping[Fault, float], **settings: float) -> None:
        """`randomly` with the same rates at every endpoint at which the fault can happen."""
        table = {
            endpoint: {fault: rate for fault, rate in rates.items() if suits(endpoint, fault)}
            for endpoint in self.endpoints
        }
        self.randomly(seed, table, **settings)

    def stop(self) -> None:
        """No more faults; the log stays."""
        with self._lock:
            self._scripts.clear()
            self._rates = {}

    def waiting(self) -> int:
        """How many scripted faults have not happened yet."""
        return sum(step is not None for script in self._scripts.values() for step in script)

    def count(self, fault: Fault, endpoint: str | None = None) -> int:
        """How often a fault happened, at one endpoint or at all of them."""
        return sum(f is fault and endpoint in (None, e) for e, f in self.log)

    def draw(self, endpoint: str) -> Injection | None:
        """What the next request of this endpoint meets; a script goes before chance."""
        with self._lock:
            self._requests[endpoint] += 1
            script = self._scripts[endpoint]
            injection = script.popleft() if script else self._chance(endpoint)
            if injection is not None:
                self.log.append((endpoint, injection.fault))
            return injection

    def _chance(self, endpoint: str) -> Injection | None:
        seed = f"{self._seed}:{endpoint}:{self._requests[endpoint]}"
        left = random.Random(seed).random()
        for fault, rate in self._rates.get(endpoint, {}).items():
            if left < rate:
                return Injection(fault, **self._settings)
            left -= rate
        return None

    def _must_suit(self, endpoint: str, fault: Fault) -> None:
        if endpoint not in self.endpoints:
            raise ValueError(f"no endpoint {endpoint}; there are {sorted(self.endpoints)}")
        if not suits(endpoint, fault):
            raise ValueError(f"{fault.value} cannot happen at {endpoint}")


def suits(endpoint: str, fault: Fault) -> bool:
    """Whether a fault can happen at an endpoint."""
    if endpoint in _NEVER_AT.get(fault, frozenset()):
        return False
    return endpoint in _ONLY_AT.get(fault, frozenset({endpoint}))
