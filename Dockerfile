# pg_dump and pg_restore of the server's own version, and every library they need beside the C library: the Airflow
# image has none, and its Debian may be another one.
FROM postgres:17.6-bookworm AS postgres-client
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN install -d /client/bin /client/lib \
    && cp /usr/lib/postgresql/17/bin/pg_dump /usr/lib/postgresql/17/bin/pg_restore /client/bin \
    && ldd /client/bin/* | awk '$3 ~ "^/" && $1 !~ "^lib(c|m|rt|dl|resolv|pthread)[.]so" {print $3}' | sort -u \
        | xargs cp --dereference --target-directory=/client/lib

# The one image of the Airflow services, MLflow, backups and the one-off commands.
# Slim: the full image's hundred providers would pin other versions than our lock.
FROM apache/airflow:slim-3.3.2-python3.12

# Mount points of named volumes: a fresh volume takes over owner and mode of what lies under it. The empty airflow.cfg
# keeps Airflow from writing one, with keys of its own making, into the image or onto a read-only root.
USER 0
RUN install -d -o airflow -g root -m 0775 /opt/airflow/archive /opt/airflow/mlflow /opt/airflow/state \
    && install -d -o airflow -g root -m 0700 /opt/airflow/backup \
    && install -o airflow -g root -m 0644 /dev/null /opt/airflow/airflow.cfg
COPY --from=postgres-client /client /opt/postgresql-client
# Found on PATH, with their libraries for themselves alone; the build fails where they do not run.
RUN for name in pg_dump pg_restore; do \
        printf '#!/bin/sh\nLD_LIBRARY_PATH=/opt/postgresql-client/lib exec /opt/postgresql-client/bin/%s "$@"\n' "$name" \
            > "/usr/local/bin/$name" && chmod 0755 "/usr/local/bin/$name" && "$name" --version || exit 1; \
    done
USER 50000

# Every version is pinned, Airflow's included; --no-deps keeps pip from resolving anything else. The imports then show
# at build time, not at the first task, that the parts fit together.
COPY --chown=airflow:root requirements.txt /opt/airflow/requirements.txt
RUN pip install --no-cache-dir --no-deps -r /opt/airflow/requirements.txt \
    && airflow version \
    && python -c "import mlflow, pandas, psycopg, pyarrow, redis, sklearn, statsd, ta, talib" \
    && python -c "from airflow.providers.celery.executors.celery_executor import CeleryExecutor"

COPY --chown=airflow:root airflow_settings.yaml /opt/airflow/
COPY --chown=airflow:root deploy /opt/airflow/deploy
COPY --chown=airflow:root sql /opt/airflow/sql
COPY --chown=airflow:root include /opt/airflow/include
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root dags /opt/airflow/dags
# Onto a read-only root nothing could write it later.
RUN python -m compileall -q /opt/airflow/include /opt/airflow/plugins

# `include` is imported from here; Airflow itself adds plugins/ to the path.
ENV PYTHONPATH=/opt/airflow:/opt/airflow/plugins \
    PYTHONUNBUFFERED=1 \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
WORKDIR /opt/airflow
