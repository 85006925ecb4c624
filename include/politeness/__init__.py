"""One request budget and one circuit per host, in PostgreSQL, shared by every task, process and machine."""
