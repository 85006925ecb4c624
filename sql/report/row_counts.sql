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
