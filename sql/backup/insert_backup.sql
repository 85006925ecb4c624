-- One backup that was read back; restored_at where it was restored into a scratch database and compared as well.
insert into ops.backup (database, path, bytes, sha256, started_at, finished_at, restored_at)
values (%(database)s, %(path)s, %(bytes)s, %(sha256)s, %(started_at)s, %(finished_at)s, %(restored_at)s);
