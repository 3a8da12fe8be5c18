"""The machinery that every chapter shares: records for the ledger, summaries, break-it tables and exercises."""

from backprop.course.records import check, settle

__all__ = ["check", "settle"]
