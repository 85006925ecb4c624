-- Roles and databases of Airflow and MLflow; run as superuser at every start, so changed passwords take effect.
-- The warehouse's are made by `python -m include.cli migrate`. Passwords come from the
-- environment: AIRFLOW_DATABASE_PASSWORD, AIRFLOW_JANITOR_PASSWORD, MLFLOW_DATABASE_PASSWORD.
\set ON_ERROR_STOP on
\getenv airflow_password AIRFLOW_DATABASE_PASSWORD
\getenv janitor_password AIRFLOW_JANITOR_PASSWORD
\getenv mlflow_password MLFLOW_DATABASE_PASSWORD

select format('create role %I login', name)
from unnest(array['airflow', 'airflow_janitor', 'mlflow']) as wanted (name)
where name not in (select rolname from pg_roles)
\gexec

alter role airflow password :'airflow_password';
alter role airflow_janitor password :'janitor_password';
alter role mlflow password :'mlflow_password';
alter role airflow nosuperuser nocreatedb nocreaterole nobypassrls noreplication;
alter role airflow_janitor nosuperuser nocreatedb nocreaterole nobypassrls noreplication;
alter role mlflow nosuperuser nocreatedb nocreaterole nobypassrls noreplication;

select format('create database %I owner %I', name, name)
from unnest(array['airflow', 'mlflow']) as wanted (name)
where name not in (select datname from pg_database)
\gexec

-- A role enters the database it is for, and no other.
revoke all on database airflow from public;
revoke all on database mlflow from public;
revoke connect, temporary on database postgres, template1 from public;
-- What it may do in there is said after every migration of Airflow's: sql/maintenance/metadata_rights.sql.
grant connect on database airflow to airflow_janitor;
