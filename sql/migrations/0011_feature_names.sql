-- Feature columns by the names their users ask for. The view is made anew from the registry
-- (include/features/schema.py), as are columns that a later registry adds.
drop view public.crypto_prices;

alter table features.candle_feature rename column sma_7d to sma_7;
alter table features.candle_feature rename column sma_14d to sma_14;
alter table features.candle_feature rename column sma_30d to sma_30;
alter table features.candle_feature rename column volume_mean_7d to volume_avg_7d;
alter table features.candle_feature rename column volume_mean_14d to volume_avg_14d;
alter table features.candle_feature rename column volume_mean_30d to volume_avg_30d;
alter table features.candle_feature rename column fear_greed_mean_7d to fear_greed_7d;
alter table features.candle_feature rename column fear_greed_mean_14d to fear_greed_14d;
alter table features.candle_feature rename column fear_greed_mean_30d to fear_greed_30d;
