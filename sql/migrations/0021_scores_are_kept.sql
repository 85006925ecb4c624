-- A score may be completed when its volatility is known, but who scores cannot make a bad one go away.
revoke delete on ml.forecast_score from warehouse_writer;
