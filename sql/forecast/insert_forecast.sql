-- Seal one forecast; what is sealed stays as it is, and nothing is returned then.
-- Key: (instrument_id, timeframe, horizon_bars, as_of). Parameters: the columns.
insert into ml.forecast (
    instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price,
    predicted_log_return, predicted_price, lower_price, upper_price, coverage, model, model_version
)
values (
    %(instrument_id)s, %(timeframe)s, %(horizon_bars)s, %(as_of)s, %(target_at)s, %(made_at)s, %(as_of_price)s,
    %(predicted_log_return)s, %(predicted_price)s, %(lower_price)s, %(upper_price)s, %(coverage)s,
    %(model)s, %(model_version)s
)
on conflict (instrument_id, timeframe, horizon_bars, as_of) do nothing
returning forecast_id
