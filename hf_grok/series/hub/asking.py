"""Asking the Hub: what goes wrong is one message for people, without a token in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import HfApi, get_token

from hf_grok.errors import UserError
from hf_grok.series.hub.retry import HUB_ERRORS, in_words
from hf_grok.series.local.safety import mask_tokens


@contextmanager
def asking(repository: str, what: str, api: HfApi | None = None) -> Iterator[None]:
    """Within, an error of the Hub or of the connection becomes a `UserError`.

    Args:
        repository: that is asked for.
        what: could not be done, as "could not be verified".
        api: the client that asks; None for one with the environment's token.

    Raises:
        UserError: without its cause, whose text would stand unmasked in a traceback.
    """
    try:
        yield
    except UserError:
        raise
    except HUB_ERRORS as error:
        own = api.token if api is not None and isinstance(api.token, str) else None
        reason = mask_tokens(in_words(error, repository, "read"), own or get_token())
        raise UserError(f"{repository} {what}: {reason}") from None
