"""What a Hub repository says of the models in it: the names of its steps, and their annotation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, get_token
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import (
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx

from hf_grok.errors import UserError
from hf_grok.runs.record import recorded
from hf_grok.series.hub.asking import asking
from hf_grok.series.hub.remote_tree import read_index
from hf_grok.series.hub.retry import in_words
from hf_grok.series.local.manifest import Index
from hf_grok.series.local.safety import mask_tokens
from hf_grok.series.naming import RevisionTemplate
from hf_grok.series.revision_names import NameReader

# Seconds that the first answer of the Hub may take. Its client has no limit of its own: where no
# answer ever comes, the system's is two minutes.
PATIENCE = 10.0


def index_of(model: str) -> Index | None:
    """The index of a series on the Hub; None of a folder, and of a series that keeps none.

    Raises:
        UserError: the Hub cannot be asked; an index that cannot be read.
    """
    if Path(model).exists():
        return None
    with asked(model):
        api = HfApi()
        return read_index(api, model, api.repo_info(model, timeout=PATIENCE).sha)


def names_in_index(index: Index | None) -> NameReader:
    """What tells the steps of a series: the template in its index, else names that others use."""
    return NameReader(RevisionTemplate(index.template) if index else None)


def trained_scheme(model: str, index: Index | None = None) -> str | None:
    """The scheme of the arcs that a run, a checkpoint of one, or a series was trained with.

    Args:
        model: a folder, whose run.json or that of the folder around it says it; or a repository.
        index: of the repository.

    Returns:
        None where nothing says.
    """
    schemes = index.annotation if index else _of_folder(Path(model))
    found = schemes.get("training") if isinstance(schemes, Mapping) else None
    return found if isinstance(found, str) else None


def _of_folder(folder: Path) -> object:
    if not folder.is_dir():
        return None
    abouts = [recorded(place) or {} for place in (folder, folder.resolve().parent)]
    return next((about["annotation"] for about in abouts if "annotation" in about), None)


@contextmanager
def asked(repository: str, revision: str | None = None) -> Iterator[None]:
    """What goes wrong while a model's repository is asked, in words that say what to do.

    Raises:
        UserError: the Hub cannot be asked, or has no such repository or revision.
    """
    with asking(repository, "is no folder here, and the Hub could not be asked for it"):
        try:
            yield
        except (httpx.TransportError, OfflineModeIsEnabled) as error:
            raise UserError(
                f"{repository} is no folder here, and the Hub could not be asked for it: "
                f"{mask_tokens(str(error), get_token())}. {_without_network(repository)}"
            ) from None
        except RevisionNotFoundError:
            raise UserError(f"{repository} has no revision {revision!r}") from None
        except (RepositoryNotFoundError, HFValidationError) as error:
            said = mask_tokens(in_words(error, repository, "read"), get_token())
            raise UserError(
                f"{repository} is neither a folder here nor a repository on the Hub: {said}"
            ) from None


def _without_network(repository: str) -> str:
    """What to do where the Hub is out of reach: with the cache's copies of a model, or without."""
    cache = Path(HF_HUB_CACHE)
    kept = cache / f"models--{repository.replace('/', '--')}" / "snapshots"
    found = sorted(kept.iterdir()) if kept.is_dir() else []
    if not found:
        return (
            f"The cache ({cache}) does not hold it either. Without a network, name a folder, and "
            "set HF_HUB_OFFLINE=1 so that nothing waits for the Hub"
        )
    return (
        f"The cache holds it: with HF_HUB_OFFLINE=1, name its folder {' or '.join(map(str, found))}"
    )
