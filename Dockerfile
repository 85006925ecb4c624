# The one image of the Airflow services, MLflow and the one-off commands.
# Slim: the full image's hundred providers would pin other versions than our lock.
FROM apache/airflow:slim-3.3.2-python3.12

# Mount points of named volumes: a fresh volume takes over owner and mode of what lies under it.
USER 0
RUN install -d -o airflow -g root -m 0775 /opt/airflow/archive /opt/airflow/mlflow /opt/airflow/state
USER 50000

# Every version is pinned, Airflow's included; --no-deps keeps pip from resolving anything else. The imports then show
# at build time, not at the first task, that the parts fit together.
COPY --chown=airflow:root requirements.txt /opt/airflow/requirements.txt
RUN pip install --no-cache-dir --no-deps -r /opt/airflow/requirements.txt \
    && airflow version \
    && python -c "import mlflow, pandas, psycopg, pyarrow, sklearn, statsd, ta"

COPY --chown=airflow:root airflow_settings.yaml /opt/airflow/
COPY --chown=airflow:root deploy /opt/airflow/deploy
COPY --chown=airflow:root sql /opt/airflow/sql
COPY --chown=airflow:root include /opt/airflow/include
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root dags /opt/airflow/dags

# `include` is imported from here; Airflow itself adds plugins/ to the path.
ENV PYTHONPATH=/opt/airflow:/opt/airflow/plugins \
    PYTHONUNBUFFERED=1 \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
WORKDIR /opt/airflow
