-- Where the migrations runner keeps its history. No parameters; repeatable.
create schema if not exists ops;
create table if not exists ops.migration (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
);
