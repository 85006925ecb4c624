-- MLflow runs whose training is recorded.
select t.mlflow_run_id from ml.training_run as t
