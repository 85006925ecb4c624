"""Backups of the PostgreSQL databases that are proven to restore: dump, check, replace, keep, forget."""
