-- When the newest Fear & Greed value was published. No parameters.
select extract(epoch from f.published_at)::float8 as sentiment_newest_timestamp_seconds
from market.fear_greed as f
order by f.day desc
limit 1
