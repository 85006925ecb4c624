-- Seal one forecast; what is sealed stays as it is, and nothing is returned then.
-- Key: (instrument_id, timeframe, horizon_bars, as_of). Parameters: the columns.
insert into ml.forecast (
    instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price,
    predicted_log_return, predicted_price, lower_price, upper_price, coverage, model, model_version,
    lower_price_95, upper_price_95, up_probability, drift_log_return, seasonal_log_return, model_trained_until,
    predicted_volatility, lower_volatility, upper_volatility, lower_volatility_95, upper_volatility_95,
    volatility_model, volatility_model_version, volatility_trained_until, ewma_volatility, har_volatility
)
values (
    %(instrument_id)s, %(timeframe)s, %(horizon_bars)s, %(as_of)s, %(target_at)s, %(made_at)s, %(as_of_price)s,
    %(predicted_log_return)s, %(predicted_price)s, %(lower_price)s, %(upper_price)s, %(coverage)s,
    %(model)s, %(model_version)s,
    %(lower_price_95)s, %(upper_price_95)s, %(up_probability)s, %(drift_log_return)s, %(seasonal_log_return)s,
    %(model_trained_until)s,
    %(predicted_volatility)s, %(lower_volatility)s, %(upper_volatility)s, %(lower_volatility_95)s,
    %(upper_volatility_95)s,
    %(volatility_model)s, %(volatility_model_version)s, %(volatility_trained_until)s, %(ewma_volatility)s,
    %(har_volatility)s
)
on conflict (instrument_id, timeframe, horizon_bars, as_of) do nothing
returning forecast_id
