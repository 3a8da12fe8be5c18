"""Worlds in which hypotheses hold, found without the engine: by drawing, by Newton's method, and by trying again."""

import numpy as np

from backprop.symbolic import expressions as lang
from backprop.symbolic.expressions import subexpressions, sympify

from .numbers import Undefined, free_indices, index_sizes, real

ATTEMPTS, NEWTON_STEPS = 60, 40


def meet(world, given):
    """Change what the world has drawn until every hypothesis holds.

    Raises
    ------
    Undefined
        If that does not succeed.
    """
    equations, inequalities = _split(given)
    if not equations and not inequalities:
        return
    kept = dict(world.leaves)
    for _ in range(ATTEMPTS):
        world.leaves, world.worked_out = dict(kept), {}
        world.shared["drawn"].clear()
        try:
            # What is only a name for something else is set last: it depends on the rest.
            rest = [pair for pair in equations if _name_of(world, *pair) is None]
            _solve(world, rest)
            for pair in equations:
                if pair not in rest:
                    name, value = _name_of(world, *pair)
                    world.leaves[name] = world.value(value)
                    world.worked_out = {}
            _make_room(world, inequalities)
            if max([0.0, *map(abs, _residuals(world, equations))]) < 1e-9 and _hold(world, inequalities):
                return
        except Undefined:
            continue
    raise Undefined(f"no world was found in which {given} holds")


def _split(given):
    items = list(given.items()) if isinstance(given, dict) else list(given)
    pairs = [
        item if isinstance(item, tuple) else (item.left, item.right) for item in items if not hasattr(item, "less")
    ]
    return [tuple(map(sympify, pair)) for pair in pairs], [item for item in items if hasattr(item, "less")]


def _name_of(world, a, b):
    for name, value in ((a, b), (b, a)):
        if isinstance(name, lang.Matrix | lang.Symbol) and name not in world.let and name not in subexpressions(value):
            return name, value
    return None


def _instances(world, a, b):
    sizes = index_sizes(world, a, b)
    free = sorted(free_indices(a) | free_indices(b), key=str)
    for values in np.ndindex(*(sizes[k] for k in free)):
        at = dict(zip(free, values, strict=True))
        sides = [np.asarray(world.value(e, at), dtype=object) for e in (a, b)]
        for x, y in zip(*(side.flat for side in np.broadcast_arrays(*sides)), strict=True):
            yield float(real(x)), float(real(y))


def _residuals(world, equations):
    return [x - y for a, b in equations for x, y in _instances(world, a, b)]


def _solve(world, equations):
    """Newton's method, in the least-squares sense, on all entries that the equations speak of."""
    _residuals(world, equations)  # draws every name that they hold
    names = [
        x
        for x in dict.fromkeys(part for pair in equations for e in pair for part in subexpressions(e))
        if isinstance(x, lang.Matrix | lang.Symbol) and x in world.leaves and not getattr(x, "integer", False)
    ]
    for _ in range(NEWTON_STEPS):
        now = np.array(_residuals(world, equations))
        if not now.size or np.abs(now).max() < 1e-12:
            return
        places = [(x, p) for x in names for p in (np.ndindex(*world.leaves[x].shape) if x.is_matrix else [None])]
        columns = [(np.array(_residuals(_moved(world, x, p, 1e-6), equations)) - now) / 1e-6 for x, p in places]
        step = np.linalg.lstsq(np.array(columns).T, -now, rcond=None)[0]
        for (x, p), by in zip(places, step, strict=True):
            world.leaves[x] = _moved(world, x, p, float(by)).leaves[x]
        world.worked_out = {}


def _moved(world, name, place, by):
    if place is None:
        return world._where({name: world.leaves[name] + by})
    value = world.leaves[name].copy()
    value[place] = value[place] + by
    return world._where({name: value})


def _make_room(world, inequalities):
    """Move what merely bounds something, and turn round what has the wrong sign."""
    for h in inequalities:
        for bound, other, sign in ((h.more, h.less, 1.0), (h.less, h.more, -1.0)):
            if isinstance(bound, lang.Symbol) and bound not in subexpressions(other) and bound not in world.let:
                met = [(x, y) for x, y in _instances(world, h.less, h.more)]
                needed = max(x for x, _ in met) if sign > 0 else min(y for _, y in met)
                if sign * (world.leaves[bound] - needed) <= 0:
                    world.leaves[bound] = needed + sign * float(world.rng.uniform(0.1, 1))
            elif other == sympify(0) and _whole_name(bound) in world.leaves:
                world.leaves[_whole_name(bound)] = sign * np.abs(world.leaves[_whole_name(bound)])
            world.worked_out = {}


def _whole_name(e):
    return e.matrix if isinstance(e, lang.Entry) else e


def _hold(world, inequalities):
    return all(x < y or (not h.strict and x == y) for h in inequalities for x, y in _instances(world, h.less, h.more))
