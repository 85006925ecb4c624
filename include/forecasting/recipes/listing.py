"""All recipes: every module of this package that defines a RECIPE. A new model is one new file beside this one."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from include.forecasting import recipes as package
from include.forecasting.recipe import Recipe
from include.forecasting.targets import Target


def recipes(target: Target) -> tuple[Recipe, ...]:
    """Recipes for a target, by name."""
    return tuple(recipe for recipe in _all() if recipe.target is target)


def recipe(target: Target, name: str) -> Recipe:
    """One of them. Raises KeyError where there is none of that name."""
    return {each.name: each for each in recipes(target)}[name]


@cache
def _all() -> tuple[Recipe, ...]:
    """Raises TypeError for a module without a RECIPE, ValueError for a name that two recipes of a target share."""
    found: dict[tuple[Target, str], Recipe] = {}
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        if module == __name__.rpartition(".")[2]:
            continue
        made = getattr(import_module(f"{package.__name__}.{module}"), "RECIPE", None)
        if not isinstance(made, Recipe):
            raise TypeError(f"{module}.py lacks a RECIPE")
        if (made.target, made.name) in found:
            raise ValueError(f"two recipes for {made.target} are called {made.name}")
        found[made.target, made.name] = made
    return tuple(found[key] for key in sorted(found))
