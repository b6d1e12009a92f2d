"""Every conjunction of up to three conditions, counted exactly: where is a loss higher than elsewhere?

Rows carry one small whole number a field: 0 where none of the field's conditions holds, else which one. All slices
with enough rows are counted (a condition too rare is dropped first: no slice that holds it can be large enough), scored
by how many standard errors their mean lies above that of all other rows, and thinned out: a slice must be worse than
what is left of each of its parents, and worse than what no better slice has told already.

Counting does not visit rows once a slice, nor once a triple of fields. Fields are joined two by two into groups; three
groups at a time are counted by one pass over the rows into a small cube, and matrix products of the cube with the
groups' conditions give all their triples at once. (The enumeration and its support pruning are those of Sagadeeva and
Boehm, SliceLine, SIGMOD 2021; its upper bounds are not needed where every slice is counted.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .arrays import FloatArray

Codes = NDArray[np.uint8]
Places = NDArray[np.int64]
_Candidate = tuple[float, tuple[int, ...], int]
"""Score, places of conditions, rows."""
DEPTH = 3
LEAST_SCORE = 2.0
"""Standard errors by which a slice is worse than the rest, and than what is left of each parent."""
MOST_EXAMINED = 500
"""So many of the highest scores are looked at for what they add to better ones."""
_ROUNDING = 1e-12
_GROUP = 90
"""Cells of a group of two fields, at most: three groups then fit the processor's cache."""


class Condition(NamedTuple):
    """A field, by its place, and which of its codes."""

    field: int
    code: int


@dataclass(frozen=True)
class Rows:
    """What is searched.

    Attributes:
        codes: one array a field, 0 where none of its conditions holds, shape (n,) each.
        loss: of each row; more is worse.
        weight: of each row.
    """

    codes: tuple[Codes, ...]
    loss: FloatArray
    weight: FloatArray

    @property
    def n(self) -> int:
        """How many rows."""
        return len(self.loss)

    def holds(self, conditions: Sequence[Condition]) -> NDArray[np.bool_]:
        """Which rows meet all the conditions."""
        kept = np.ones(self.n, dtype=np.bool_)
        for field, code in conditions:
            kept &= self.codes[field] == code
        return kept


@dataclass(frozen=True)
class FoundSlice:
    """A slice worse than the rest of the rows searched.

    Attributes:
        conditions: by field.
        n: rows.
        score: standard errors (of all rows' common spread) by which its mean loss lies above that of the rest.
    """

    conditions: tuple[Condition, ...]
    n: int
    score: float


@dataclass(frozen=True)
class Search:
    """What was found, best first, and how many slices with enough rows were counted."""

    found: tuple[FoundSlice, ...]
    counted: int


@dataclass(frozen=True)
class _Sums:
    """Rows, weight and centred weighted loss of many slices at once, and what they mean against a whole."""

    n: FloatArray
    weight: FloatArray
    loss: FloatArray

    @classmethod
    def of(cls, stacked: FloatArray) -> _Sums:
        """From the sums stacked: rows, loss, and weight where it is not the rows."""
        return cls(stacked[0], stacked[-1] if len(stacked) > 2 else stacked[0], stacked[1])

    def at(self, *index: Any) -> _Sums:
        """Some of the slices."""
        return _Sums(self.n[index], self.weight[index], self.loss[index])


@dataclass(frozen=True)
class _Whole:
    """All rows: how many, their weight, and the variance of a mean of unit weight."""

    n: int
    weight: float
    spread: float

    @classmethod
    def of(cls, rows: Rows) -> _Whole:
        """Of rows whose mean loss is 0."""
        total = float(rows.weight.sum())
        variance = float(rows.weight @ np.square(rows.loss)) / total
        # a weight of 1 is one row; where weights differ, a mean knows less (Kish)
        return cls(rows.n, total, variance * float(np.square(rows.weight).sum()) / total)

    def score(self, part: _Sums) -> FloatArray:
        """Standard errors by which the mean of a part lies above that of all other rows."""
        return apart(part.weight, part.loss, self.weight - part.weight, -part.loss, self.spread)

    def against(self, part: _Sums, parent: _Sums) -> FloatArray:
        """The same of a part against what is left of its parent; -infinity where nothing is left."""
        rest = _Sums(parent.n - part.n, parent.weight - part.weight, parent.loss - part.loss)
        found = apart(part.weight, part.loss, rest.weight, rest.loss, self.spread)
        return np.where(rest.n > 0, found, -np.inf)


def apart(
    weight: FloatArray, loss: FloatArray, weight_rest: FloatArray, loss_rest: FloatArray, spread: float
) -> FloatArray:
    """Standard errors by which one mean lies above another, both with the same spread of rows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = loss / weight - loss_rest / weight_rest
        return np.asarray(gap / np.sqrt(spread * (1.0 / weight + 1.0 / weight_rest)))


class _Group(NamedTuple):
    """One or two fields counted together.

    Attributes:
        code: of each row, both fields' codes in one number.
        size: of the codes.
        items: places of the fields' conditions among all conditions, shape (P,).
        holds: which code means which of these conditions, shape (size, P).
        pairs: places of conditions of both fields that can hold together, shape (Q, 2).
        both: which code means which of these pairs, shape (size, Q).
    """

    code: Places
    size: int
    items: Places
    holds: FloatArray
    pairs: Places
    both: FloatArray


def search(
    rows: Rows,
    *,
    least: int,
    depth: int = DEPTH,
    most: int = 20,
    most_fields: Sequence[int] = (10_000, 60, 24),
) -> Search:
    """Find the slices that are worse than all other rows, best first, none of which tells what a better one told.

    Args:
        rows: what to search.
        least: rows a slice and its rest must have.
        depth: conditions of a slice at most: 1, 2 or 3.
        most: slices wanted.
        most_fields: how many fields may stand in slices of one, two and three conditions: those whose conditions score
            highest.

    >>> a, b = np.tile([1, 2], 200).astype(np.uint8), np.repeat([1, 2], 200).astype(np.uint8)
    >>> loss = np.where((a == 2) & (b == 1), 1.0, 0.0) + np.tile([0.0, 0.0, 0.1, 0.1], 100)
    >>> search(Rows((a, b), loss, np.ones(400)), least=20).found[0].conditions
    (Condition(field=0, code=2), Condition(field=1, code=1))
    """
    standard = _standardised(rows)
    if standard is None or rows.n < 2 * least:
        return Search((), 0)
    # the matrices are small: several threads would spend their time waiting for each other
    with threadpool_limits(1):
        counter = _Counter(standard, least)
        candidates = counter.candidates(depth, most_fields)
    named = [
        FoundSlice(tuple(counter.conditions[i] for i in places), n, score) for score, places, n in candidates
    ]
    return Search(_thinned(standard, named, counter.whole.spread, least, most), counter.counted)


def _standardised(rows: Rows) -> Rows | None:
    """The rows with losses from their mean, the farthest being 1; None where all losses are equal."""
    largest, total = float(np.abs(rows.loss).max(initial=0.0)), float(rows.weight.sum())
    if not (largest > 0 and total > 0):
        return None
    small = rows.loss / largest
    away = small - float(rows.weight @ small) / total
    farthest = float(np.abs(away).max())
    return Rows(rows.codes, away / farthest, rows.weight) if farthest > _ROUNDING else None


class _Counter:
    """Counts of every slice, one depth after another."""

    def __init__(self, rows: Rows, least: int) -> None:
        self.rows, self.least, self.whole = rows, least, _Whole.of(rows)
        self.loss = rows.weight * rows.loss
        self.counted = 0
        self.squares: dict[tuple[int, ...], FloatArray] = {}
        # where every weight is 1, weights are counts and need no pass of their own
        self.plain = bool((rows.weight == 1.0).all())
        self.conditions: list[Condition] = []
        self.first: dict[int, int] = {}
        singles: list[tuple[float, float, float]] = []
        for field, codes in enumerate(rows.codes):
            sums = _Sums.of(self._cube(codes.astype(np.int64), int(codes.max(initial=0)) + 1))
            kept = np.flatnonzero((sums.n >= least) & (np.arange(len(sums.n)) > 0))
            self.first[field] = len(self.conditions)
            self.conditions += [Condition(field, int(code)) for code in kept]
            singles += list(zip(sums.n[kept], sums.weight[kept], sums.loss[kept], strict=True))
        self.field_of = np.array([one.field for one in self.conditions], dtype=np.int64)
        table = np.array(singles, dtype=np.float64).reshape(-1, 3)
        self.one = _Sums(table[:, 0], table[:, 1], table[:, 2])

    def candidates(self, depth: int, most_fields: Sequence[int]) -> list[_Candidate]:
        """Every slice that stands out and adds to each of its parents."""
        scores = self.whole.score(self.one) if len(self.conditions) else np.zeros(0)
        found: list[_Candidate] = [
            (float(scores[i]), (int(i),), int(self.one.n[i]))
            for i in np.flatnonzero(self._stands_out(self.one))
        ]
        self.counted += len(self.conditions)
        if depth > 1:
            order = self._fields(scores)
            groups = self._groups(order[: most_fields[1]])
            self._read_pairs(groups)
            found += self._pairs()
            if depth > 2:
                fewer = order[: most_fields[2]]
                found += self._triples(groups if len(fewer) == len(order) else self._groups(fewer))
        return found

    def _fields(self, scores: FloatArray) -> list[int]:
        """Fields that have a condition, the most telling first."""
        best = {int(f): float(np.abs(scores[self.field_of == f]).max()) for f in np.unique(self.field_of)}
        return sorted(best, key=lambda field: (-round(best[field], 9), field))

    # --- counting

    def _cube(self, code: Places, size: int) -> FloatArray:
        """Sums by code, stacked as `_Sums.of` takes them."""
        parts = [np.bincount(code, minlength=size), np.bincount(code, self.loss, minlength=size)]
        if not self.plain:
            parts.append(np.bincount(code, self.rows.weight, minlength=size))
        return np.array(parts, dtype=np.float64)

    def _square(self, left: _Group, right: _Group) -> FloatArray:
        """Sums by the codes of two groups, counted once."""
        key = (*left.items.tolist(), *right.items.tolist())
        if key not in self.squares:
            cube = self._cube(left.code * right.size + right.code, left.size * right.size)
            self.squares[key] = cube.reshape(-1, left.size, right.size)
        return self.squares[key]

    def _groups(self, fields: Sequence[int]) -> list[_Group]:
        """Fields two by two where both together stay small; by place, so that the same fields give the same groups."""
        size = {field: int((self.field_of == field).sum()) + 1 for field in fields}
        waiting = sorted(fields, key=lambda field: (size[field], field))
        groups = []
        while waiting:
            one = waiting.pop()
            partner = next((f for f in reversed(waiting) if size[f] * size[one] <= _GROUP), None)
            if partner is not None:
                waiting.remove(partner)
            groups.append(self._group([one] if partner is None else sorted((one, partner))))
        return groups

    def _group(self, fields: Sequence[int]) -> _Group:
        code, columns, items = np.zeros(self.rows.n, dtype=np.int64), [], []
        for field in fields:
            mine = np.flatnonzero(self.field_of == field)
            lookup = np.full(256, len(mine), dtype=np.int64)
            lookup[[self.conditions[i].code for i in mine]] = np.arange(len(mine))
            # a number for rows without any of the conditions only where there are such rows
            columns.append(len(mine) + bool(self.one.n[mine].sum() < self.rows.n))
            code = code * columns[-1] + lookup[self.rows.codes[field]]
            items.append(mine)
        size = int(np.prod(columns))
        digits = np.unravel_index(np.arange(size), columns)
        held = [
            (digit[:, None] == np.arange(len(mine))[None, :]).astype(np.float64)
            for digit, mine in zip(digits, items, strict=True)
        ]
        pairs, both = np.zeros((0, 2), dtype=np.int64), np.zeros((size, 0))
        if len(fields) > 1:
            pairs = np.array([(i, j) for i in items[0] for j in items[1]], dtype=np.int64)
            both = (held[0][:, :, None] * held[1][:, None, :]).reshape(size, -1)
        return _Group(code, size, np.concatenate(items), np.concatenate(held, axis=1), pairs, both)

    def _read_pairs(self, groups: Sequence[_Group]) -> None:
        """The sums of every two conditions, as symmetric tables; 0 for two of one field."""
        tables = np.zeros((2 if self.plain else 3, len(self.conditions), len(self.conditions)))
        for group in groups:
            tables[:, group.pairs[:, 0], group.pairs[:, 1]] = self._cube(group.code, group.size) @ group.both
        for left, right in combinations(groups, 2):
            shaped = self._square(left, right)
            joint = left.holds.T @ shaped @ right.holds
            tables[:, left.items[:, None], right.items[None, :]] = joint
        self.two = _Sums.of(tables + tables.transpose(0, 2, 1))

    # --- judging

    def _stands_out(self, sums: _Sums) -> NDArray[np.bool_]:
        large = (sums.n >= self.least) & (self.whole.n - sums.n >= self.least)
        return large & (self.whole.score(sums) >= LEAST_SCORE)

    def _pairs(self) -> list[_Candidate]:
        upper = np.triu(self.two.n >= self.least, 1)
        self.counted += int(upper.sum())
        p, q = np.nonzero(upper & self._stands_out(self.two))
        part = self.two.at(p, q)
        adds = np.minimum(self.whole.against(part, self.one.at(p)), self.whole.against(part, self.one.at(q)))
        score = self.whole.score(part)
        kept = np.flatnonzero(adds >= LEAST_SCORE)
        return [(float(score[i]), (int(p[i]), int(q[i])), int(part.n[i])) for i in kept]

    def _triples(self, groups: Sequence[_Group]) -> list[_Candidate]:
        found: list[_Candidate] = []
        for part, places in self._triple_blocks(groups):
            self.counted += int((part.n >= self.least).sum())
            chosen = np.nonzero(self._stands_out(part))
            if not len(chosen[0]):
                continue
            some = part.at(*chosen)
            p, q, r = places(*chosen)
            adds = np.full(len(p), np.inf)
            for one, other in ((p, q), (p, r), (q, r)):
                adds = np.minimum(adds, self.whole.against(some, self.two.at(one, other)))
            score = self.whole.score(some)
            for i in np.flatnonzero(adds >= LEAST_SCORE):
                ordered = sorted((int(p[i]), int(q[i]), int(r[i])))
                found.append((float(score[i]), tuple(ordered), int(some.n[i])))
        return found

    def _triple_blocks(self, groups: Sequence[_Group]) -> Iterator[tuple[_Sums, _Places]]:
        """Sums of triples block by block, and how their index gives the places of the three conditions."""
        for left, right in combinations(groups, 2):
            if not (len(left.pairs) or len(right.pairs)):
                continue
            shaped = self._square(left, right)
            for near, far, turned in ((left, right, shaped), (right, left, shaped.transpose(0, 2, 1))):
                if len(near.pairs):
                    yield _Sums.of(near.both.T @ turned @ far.holds), _PairAndOne(near.pairs, far.items)
        for a, b, c in combinations(groups, 3):
            if not self._can_hold(a, b, c):
                continue
            cube = self._cube((a.code * b.size + b.code) * c.size + c.code, a.size * b.size * c.size)
            yield _Sums.of(_joint(cube, a, b, c)), _OneEach(a.items, b.items, c.items)

    def _can_hold(self, a: _Group, b: _Group, c: _Group) -> bool:
        """Whether any triple can have enough rows: all of its pairs must."""
        enough = self.two.n >= self.least
        ab, ac, bc = (enough[np.ix_(x.items, y.items)] for x, y in ((a, b), (a, c), (b, c)))
        return bool((ab[:, :, None] & ac[:, None, :] & bc[None, :, :]).any())


class _PairAndOne(NamedTuple):
    pairs: Places
    items: Places

    def __call__(self, pair: Places, one: Places) -> tuple[Places, Places, Places]:
        return self.pairs[pair, 0], self.pairs[pair, 1], self.items[one]


class _OneEach(NamedTuple):
    a: Places
    b: Places
    c: Places

    def __call__(self, i: Places, j: Places, k: Places) -> tuple[Places, Places, Places]:
        return self.a[i], self.b[j], self.c[k]


_Places = _PairAndOne | _OneEach


def _joint(cube: FloatArray, a: _Group, b: _Group, c: _Group) -> FloatArray:
    """Sums of one condition of each group, from the sums of all their codes."""
    by_c = cube.reshape(-1, c.size) @ c.holds
    by_b = b.holds.T @ by_c.reshape(-1, b.size, len(c.items))
    return np.asarray(a.holds.T @ by_b.reshape(len(cube), a.size, -1)).reshape(
        len(cube), len(a.items), len(b.items), len(c.items)
    )


def _thinned(
    rows: Rows,
    candidates: Sequence[FoundSlice],
    spread: float,
    least: int,
    most: int,
) -> tuple[FoundSlice, ...]:
    """Best first, without those that are no worse than the rest once the rows of better ones are set aside."""
    # rounded, so that the order of sums does not decide between equals
    ordered = sorted(candidates, key=lambda one: (-round(one.score, 9), len(one.conditions), one.conditions))
    free = np.ones(rows.n, dtype=np.bool_)
    chosen: list[FoundSlice] = []
    weighted = rows.weight * rows.loss
    weight, loss = float(rows.weight.sum()), float(weighted.sum())
    for one in ordered[:MOST_EXAMINED]:
        mine = np.flatnonzero(rows.holds(one.conditions) & free)
        if 2 * len(mine) < least or weight <= 0:
            continue
        inside = float(rows.weight[mine].sum()), float(weighted[mine].sum())
        rest = weight - inside[0], loss - inside[1]
        if not _worse(inside, rest, spread):
            continue
        chosen.append(one)
        if len(chosen) == most:
            break
        free[mine] = False
        weight, loss = rest
    return tuple(chosen)


def _worse(inside: tuple[float, float], rest: tuple[float, float], spread: float) -> bool:
    """Whether a mean lies above that of the rest by enough standard errors."""
    if min(inside[0], rest[0]) <= 0:
        return False
    gap = inside[1] / inside[0] - rest[1] / rest[0]
    return bool(gap >= LEAST_SCORE * np.sqrt(spread * (1.0 / inside[0] + 1.0 / rest[0])))
