"""Texts and embeddings as a matrix for the domain classifier, and plain measures of both; no language is assumed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from scipy import sparse

from .arrays import FloatArray
from .feature_maps import Matrix, encode_numbers

N_HASHED = 4096
N_DIRECTIONS = 30
MOST_CHARACTERS = 1000
"""Of a longer text the n-grams come from its beginning; its length counts in full."""
_GRAMS = (1, 3)
_TOKEN, _DIGIT, _MARK = re.compile(r"\w+"), re.compile(r"\d"), re.compile(r"[^\w\s]")
_SEED, _SPARE = 3301, 10
MEASURES = ("characters", "tokens", "digits", "punctuation", "upper_case", "non_ascii")


def measures(texts: Sequence[str | None]) -> dict[str, FloatArray]:
    """Length in characters and in tokens (runs of letters, digits and underscores of any script), and shares.

    Shares of digits, punctuation (neither letter, digit, mark nor space) and non-ASCII characters are of the text's
    characters, that of upper case is of its letters. nan where the text is missing, or has nothing to take a share of.

    >>> found = measures(["Ab 1!", None])
    >>> [found[name][0].item() for name in MEASURES]
    [5.0, 2.0, 0.2, 0.2, 0.5, 0.0]
    """
    table = np.array([_measured(text) for text in texts], dtype=np.float64).reshape(len(texts), len(MEASURES))
    return {name: table[:, i] for i, name in enumerate(MEASURES)}


def _measured(text: str | None) -> tuple[float, ...]:
    nan = float("nan")
    if text is None:
        return (nan,) * len(MEASURES)
    size = len(text)
    letters, upper = sum(map(str.isalpha, text)), sum(map(str.isupper, text))
    digits, marks = len(_DIGIT.findall(text)), len(_MARK.findall(text))
    other = size - len(text.encode("ascii", "ignore"))
    return (
        float(size), float(len(_TOKEN.findall(text))), digits / size if size else nan, marks / size if size else nan,
        upper / letters if letters else nan, other / size if size else nan,
    )  # fmt: skip


def text_design(texts: Sequence[str | None]) -> Matrix:
    """Leading directions of hashed character n-grams and words, and the plain measures.

    Args:
        texts: of both sides; nothing here knows the side.
    """
    grams = _hashed(texts)
    plain = [encode_numbers(column).own for column in measures(texts).values()]
    count = min(N_DIRECTIONS, min(grams.shape) - 1)
    if count < 1 or grams.nnz == 0:
        return np.concatenate(plain, axis=1)
    return np.concatenate([_spread(_leading(grams, count)), *plain], axis=1)


def _leading(grams: sparse.csr_matrix[np.float64], count: int) -> FloatArray:
    """Rows on their leading directions, by Halko, Martinsson and Tropp's randomised method (SIAM Review 53, 2011)."""
    start = np.random.default_rng(_SEED).normal(size=(grams.shape[1], count + _SPARE))
    basis = _basis(grams @ start)
    for _ in range(2):
        basis = _basis(grams @ np.asarray(grams.T @ basis))
    left, sizes, _ = np.linalg.svd(np.asarray(grams.T @ basis).T, full_matrices=False)
    return np.asarray((basis @ left * sizes)[:, :count], dtype=np.float64)


def _basis(columns: Any) -> FloatArray:
    basis: FloatArray = np.linalg.qr(np.asarray(columns))[0]
    return basis


def embedding_design(vectors: FloatArray) -> Matrix:
    """Principal components of the vectors, their squares, and the norm; (n, d), nan rows where there is none."""
    present = np.asarray(~np.isnan(vectors).any(axis=1), dtype=bool)
    filled = np.where(present[:, None], vectors, 0.0)
    centred = filled - filled[present].mean(axis=0) if present.any() else filled
    centred[~present] = 0.0
    covariance = centred.T @ centred / max(int(present.sum()), 1)
    values, axes = np.linalg.eigh(covariance)
    leading = np.argsort(values)[::-1][: min(N_DIRECTIONS, vectors.shape[1])]
    components = centred @ axes[:, leading]
    norm = np.where(present, np.linalg.norm(filled, axis=1), np.nan)
    parts = [_spread(components), _spread(np.square(components)), encode_numbers(norm).own]
    return np.concatenate(parts, axis=1)


def _spread(matrix: FloatArray) -> Matrix:
    """Columns centred and of variance 1, together of variance 1; constant ones left out, far values cut."""
    spread = matrix.std(axis=0)
    kept = spread > 1e-12 * max(float(spread.max(initial=0.0)), 1e-300)
    scores = np.clip((matrix[:, kept] - matrix[:, kept].mean(axis=0)) / spread[kept], -5, 5)
    return np.asarray(scores / np.sqrt(max(int(kept.sum()), 1)), dtype=np.float32)


def _hashed(texts: Sequence[str | None]) -> sparse.csr_matrix[np.float64]:
    """Counts of character n-grams (1 to 3, inside padded words) and words, in buckets, damped; rows of length 1."""
    known: dict[str, list[int]] = {}
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        for word in (text or "")[:MOST_CHARACTERS].lower().split():
            if word not in known:
                known[word] = _buckets(word)
            columns += known[word]
            rows += [row] * len(known[word])
    counted = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), N_HASHED))
    counted.sum_duplicates()
    counted.data = np.log1p(counted.data)
    length = np.sqrt(np.asarray(counted.multiply(counted).sum(axis=1)).ravel())
    scale = sparse.diags(np.divide(1.0, length, out=np.zeros_like(length), where=length > 0))
    return sparse.csr_matrix(scale @ counted)


def _buckets(word: str) -> list[int]:
    padded = f" {word} "
    low, high = _GRAMS
    pieces = [padded[i : i + size] for size in range(low, high + 1) for i in range(len(padded) - size + 1)]
    return [crc32(piece.encode("utf-8", "surrogatepass")) % N_HASHED for piece in (*pieces, f"\t{word}")]
