-- Takes an archived month out of market.ticker, proven by the manifests of its instruments; see migration 0019.
-- Parameters: month, dropped_at. Answers how many tickers left the table.
select market.drop_ticker_month(%(month)s, %(dropped_at)s) as dropped
