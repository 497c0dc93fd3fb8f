"""What the graph of an export holds besides the weights of its models.

Constants have no names there; each is known by its type, its size and what it
says, so that every export can be read, whoever wrote it.
"""

import dataclasses
import pathlib
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.framework import types_pb2

from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export import meta_graph
from visualpoet.generator import known_phrases
from visualpoet.generator import token_kinds
from visualpoet.generator.common_lines import MARK
from visualpoet.generator.common_lines import CommonLines
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.token_kinds import TokenKinds


class GraphConstants:
    """The constants of an export.

    Args:
        folder: The version folder.
    """

    def __init__(self, folder: pathlib.Path):
        self._graph = meta_graph.read_meta_graph(folder)

    def _list_tables(self) -> list[np.ndarray]:
        """Constants that tokens are looked up in."""
        functions = meta_graph.list_functions(self._graph)
        parts = [self._graph.graph_def.node, *(f.node_def for f in functions)]
        return [array for nodes in parts for array in _read_tables(nodes)]

    def _list_vectors(self, dtype: int) -> list[np.ndarray]:
        """Constants of one dimension and a type."""
        arrays = [
            _read(node)
            for node in meta_graph.iterate_nodes(self._graph)
            if node.op == "Const" and node.attr["dtype"].type == dtype
        ]
        return [array for array in arrays if array.ndim == 1]

    def read_known_runs(self, kinds: TokenKinds) -> KnownRuns | None:
        """Reads what its poems should not recite: arrays of bytes.

        A table of int64 says what tokens count as in them.

        Args:
            kinds: Sorts of tokens.

        Returns:
            The runs; None if it knows none.
        """
        filters = [
            stored
            for stored in self._list_vectors(types_pb2.DT_UINT8)
            if not known_phrases.is_filter(stored)
        ]
        numbers = [
            array
            for array in self._list_tables()
            if array.dtype == np.int64 and array.shape == kinds.is_word.shape
        ]
        return KnownRuns.restore(filters, kinds, *numbers[:1])

    def read_common_lines(self, kinds: TokenKinds) -> CommonLines | None:
        """Reads which lines too many of its poems have.

        Args:
            kinds: Sorts of tokens.

        Returns:
            The lines; None if they were not counted.
        """
        vectors = self._list_vectors(types_pb2.DT_INT64)
        marked = [v for v in vectors if (v[:1] == MARK).any()]
        return CommonLines(marked[0][1:], kinds) if marked else None

    def read_known_phrases(
        self, kinds: TokenKinds
    ) -> known_phrases.KnownPhrases | None:
        """Reads what people have said.

        Args:
            kinds: Sorts of tokens.

        Returns:
            The phrases; None if it knows none.
        """
        return known_phrases.KnownPhrases.restore(
            self._list_vectors(types_pb2.DT_UINT8), kinds
        )

    def read_kinds(self, vocabulary: Vocabulary) -> TokenKinds:
        """Reads the sorts of its tokens.

        Which tokens are words or marks, the vocabulary says. Of the others
        there is a table each: content words stand as float32, pauses are
        some of the marks, and what is left are the open words.

        Args:
            vocabulary: Of the export.

        Returns:
            The sorts.
        """
        plain = token_kinds.sort_tokens(vocabulary, [[]])
        size = len(vocabulary)
        of_tokens = [a for a in self._list_tables() if a.shape == (size,)]
        content = [
            a > 0
            for a in of_tokens
            if a.dtype == np.float32 and set(np.unique(a)) <= {0.0, 1.0}
        ]
        is_content = content[0] if content else plain.is_content
        is_hyphen = np.array([token == "-" for token in vocabulary.tokens])
        known = (plain.is_word, plain.is_any_word, is_hyphen, is_content)
        rest = [
            a
            for a in of_tokens
            if a.dtype == bool
            and a.any()
            and not any(np.array_equal(a, other) for other in known)
        ]
        is_of_marks = [not (a & ~plain.is_mark).any() for a in rest]
        nothing = np.zeros(size, bool)
        pauses = [
            a
            for a, of_marks in zip(rest, is_of_marks)
            if of_marks and not np.array_equal(a, plain.is_mark)
        ]
        opened = [a for a, of_marks in zip(rest, is_of_marks) if not of_marks]
        return dataclasses.replace(
            plain,
            is_content=is_content,
            is_pause=[*pauses, nothing][0],
            is_open=[*opened, nothing][0],
        )


def _read_tables(nodes: Iterable[node_def_pb2.NodeDef]) -> list[np.ndarray]:
    """Of a part of the graph."""
    constants = {node.name: node for node in nodes if node.op == "Const"}
    names = [node.input[0] for node in nodes if node.op == "GatherV2"]
    tables = {name.split(":")[0] for name in names}
    return [_read(constants[name]) for name in tables & constants.keys()]


def _read(node: node_def_pb2.NodeDef) -> np.ndarray:
    return tf.make_ndarray(node.attr["value"].tensor)
