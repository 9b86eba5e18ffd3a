"""The papers that cards cite."""

from __future__ import annotations

from dataclasses import dataclass

from hf_grok.version import __version__


@dataclass(frozen=True)
class Paper:
    """One paper: a line for readers and an entry for BibTeX."""

    line: str
    bibtex: str


MCCOY_2020 = Paper(
    line="McCoy, Frank, Linzen 2020: Does Syntax Need to Grow on Trees? (arXiv 2001.03632)",
    bibtex="""\
@article{mccoy2020syntax,
  title   = {Does Syntax Need to Grow on Trees? Sources of Hierarchical Inductive Bias in
             Sequence-to-Sequence Networks},
  author  = {McCoy, R. Thomas and Frank, Robert and Linzen, Tal},
  journal = {Transactions of the Association for Computational Linguistics},
  volume  = {8},
  year    = {2020},
  note    = {arXiv:2001.03632}
}""",
)

MURTY_2023 = Paper(
    line="Murty, Sharma, Andreas, Manning 2023: Grokking of Hierarchical Structure in Vanilla "
    "Transformers (arXiv 2305.18741)",
    bibtex="""\
@inproceedings{murty2023grokking,
  title     = {Grokking of Hierarchical Structure in Vanilla Transformers},
  author    = {Murty, Shikhar and Sharma, Pratyusha and Andreas, Jacob and Manning, Christopher D.},
  booktitle = {Proceedings of the 61st Annual Meeting of the Association for Computational
               Linguistics (Volume 2: Short Papers)},
  year      = {2023},
  note      = {arXiv:2305.18741}
}""",
)

CHEN_2024 = Paper(
    line="Chen, Shwartz-Ziv, Cho, Leavitt, Saphra 2024: Sudden Drops in the Loss: Syntax "
    "Acquisition, Phase Transitions, and Simplicity Bias in MLMs (arXiv 2309.07311)",
    bibtex="""\
@inproceedings{chen2024sudden,
  title     = {Sudden Drops in the Loss: Syntax Acquisition, Phase Transitions, and Simplicity
               Bias in {MLM}s},
  author    = {Chen, Angelica and Shwartz-Ziv, Ravid and Cho, Kyunghyun and Leavitt, Matthew L. and
               Saphra, Naomi},
  booktitle = {The Twelfth International Conference on Learning Representations},
  year      = {2024},
  note      = {arXiv:2309.07311}
}""",
)

WARSTADT_2020 = Paper(
    line="Warstadt, Parrish, Liu, Mohananey, Peng, Wang, Bowman 2020: BLiMP: The Benchmark of "
    "Linguistic Minimal Pairs for English (arXiv 1912.00582)",
    bibtex="""\
@article{warstadt2020blimp,
  title   = {{BLiMP}: The Benchmark of Linguistic Minimal Pairs for {E}nglish},
  author  = {Warstadt, Alex and Parrish, Alicia and Liu, Haokun and Mohananey, Anhad and Peng, Wei
             and Wang, Sheng-Fu and Bowman, Samuel R.},
  journal = {Transactions of the Association for Computational Linguistics},
  volume  = {8},
  year    = {2020},
  note    = {arXiv:1912.00582}
}""",
)

HF_GROK = Paper(
    line="hf-grok: watch language models come to have syntax",
    bibtex=f"""\
@software{{hf_grok,
  title   = {{hf-grok: watch language models come to have syntax}},
  author  = {{{{hf-grok contributors}}}},
  version = {{{__version__}}},
  license = {{Apache-2.0}}
}}""",
)
