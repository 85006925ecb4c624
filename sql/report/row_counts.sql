-- Rows of the tables that have no section of their own. No parameters.
select 'market.ticker' as table_name, count(*) as row_count from market.ticker
union all
select 'market.coin_snapshot', count(*) from market.coin_snapshot
union all
select 'market.fear_greed', count(*) from market.fear_greed
union all
select 'market.candle_revision', count(*) from market.candle_revision
union all
select 'market.quarantine', count(*) from market.quarantine
union all
select 'ops.archive_manifest', count(*) from ops.archive_manifest
union all
select 'mart.candle_flag', count(*) from mart.candle_flag
union all
select 'mart.hourly_price', count(*) from mart.hourly_price
union all
select 'mart.daily_volume', count(*) from mart.daily_volume
union all
select 'mart.daily_ranking', count(*) from mart.daily_ranking
union all
select 'mart.price_alert', count(*) from mart.price_alert
