"""hf-grok: watch language models come to have syntax.

Importing this package loads neither torch nor datasets: names load where they are first used.
"""

from hf_grok.version import __version__

__all__ = ["__version__"]
