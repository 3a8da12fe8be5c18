"""The machinery that every chapter shares: records for the ledger, summaries, break-it tables and exercises."""

from backprop.course.break_it import (
    Bug,
    Check,
    Problem,
    autodiff,
    break_it,
    duplicated_batch,
    finite_differences,
    loss_goes_down,
    proof,
    shapes,
)
from backprop.course.exercise import Exercise, Wrong, computes, derives, named, recalls
from backprop.course.records import check, settle
from backprop.course.source import show_source
from backprop.course.summary import summary

__all__ = [
    "Bug",
    "Check",
    "Exercise",
    "Problem",
    "Wrong",
    "autodiff",
    "break_it",
    "check",
    "computes",
    "derives",
    "duplicated_batch",
    "finite_differences",
    "loss_goes_down",
    "named",
    "proof",
    "recalls",
    "settle",
    "shapes",
    "show_source",
    "summary",
]
