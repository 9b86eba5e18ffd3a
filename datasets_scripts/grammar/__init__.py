"""Grammars whose trees and heads are known: rules, derivations, a parser, languages with tasks."""
