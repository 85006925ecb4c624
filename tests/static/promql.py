"""PromQL read by a parser: the series an expression reads, and the labels of what it answers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import promql_parser as promql

ADDED_BY_PROMETHEUS = {"instance", "job"}
NO_LABELS = ("vector", "time", "scalar", "absent")


def parsed(expression: str, variables: Collection[str] = ()) -> promql.Expr:
    """The expression as Grafana sends it. Raises ValueError where Prometheus would refuse it, types included."""
    text = expression.replace("$__rate_interval", "5m")
    for name in variables:
        text = re.sub(rf"\${name}\b", ".*", text)
    if "$" in text:
        raise ValueError(f"an unknown variable in {expression}")
    return promql.parse(text)


def selectors(node: promql.Expr) -> Iterator[promql.VectorSelector]:
    """Every series that is read."""
    if isinstance(node, promql.VectorSelector):
        yield node
    elif isinstance(node, promql.MatrixSelector):
        yield node.vector_selector
    else:
        for child in children(node):
            yield from selectors(child)


def children(node: promql.Expr) -> list[promql.Expr]:
    if isinstance(node, promql.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, promql.Call):
        return list(node.args)
    if isinstance(node, (promql.AggregateExpr, promql.ParenExpr, promql.UnaryExpr, promql.SubqueryExpr)):
        return [node.expr]
    return []


def problems(node: promql.Expr, labels: Mapping[str, set[str]]) -> list[str]:
    """Series and labels that do not exist, given the labels of every series there is."""
    found = []
    for selector in selectors(node):
        if selector.name not in labels:
            found.append(f"unknown series {selector.name}")
            continue
        known = labels[selector.name] | ADDED_BY_PROMETHEUS
        found += [f"{selector.name} has no label {m.name}" for m in selector.matchers.matchers if m.name not in known]
    if not found:
        found += [f"nothing to group by {label}" for label in sorted(ungrouped(node, labels))]
    return found


def ungrouped(node: promql.Expr, labels: Mapping[str, set[str]]) -> set[str]:
    """Labels in a `by` or `on` that what they work on does not have."""
    wrong: set[str] = set()
    for child in children(node):
        wrong |= ungrouped(child, labels)
    for operand in children(node) if isinstance(node, (promql.AggregateExpr, promql.BinaryExpr)) else ():
        wrong |= listed(node) - answered(operand, labels)
    return wrong


def listed(node: promql.Expr) -> set[str]:
    """Labels that an aggregation or a match of two sides names to keep."""
    modifier = node.modifier.matching if isinstance(node, promql.BinaryExpr) and node.modifier else node.modifier
    keeps = modifier and modifier.type in (promql.AggModifierType.By, promql.LabelModifierType.Include)
    return set(modifier.labels) if keeps else set()


def answered(node: promql.Expr, labels: Mapping[str, set[str]]) -> set[str]:
    """Labels of the answer's series."""
    if isinstance(node, (promql.VectorSelector, promql.MatrixSelector)):
        selector = node if isinstance(node, promql.VectorSelector) else node.vector_selector
        return labels[selector.name] | ADDED_BY_PROMETHEUS
    if isinstance(node, promql.AggregateExpr):
        return answered(node.expr, labels) if str(node.op) in ("topk", "bottomk") else listed(node)
    if isinstance(node, promql.BinaryExpr):
        sides = [answered(side, labels) for side in (node.lhs, node.rhs) if not is_scalar(side)]
        return listed(node) or (sides[0] if sides else set())
    if isinstance(node, promql.Call):
        if node.func.name in NO_LABELS:
            return set()
        given = set().union(*(answered(each, labels) for each in node.args if not is_scalar(each)))
        return given - {"le"} if node.func.name == "histogram_quantile" else given
    return set().union(*(answered(child, labels) for child in children(node)))


def is_scalar(node: promql.Expr) -> bool:
    if isinstance(node, promql.NumberLiteral):
        return True
    if isinstance(node, promql.Call):
        return node.func.name in ("time", "scalar")
    if isinstance(node, (promql.ParenExpr, promql.UnaryExpr)):
        return is_scalar(node.expr)
    return isinstance(node, promql.BinaryExpr) and is_scalar(node.lhs) and is_scalar(node.rhs)
