-- What the venues' candles say of each other: a row per candle that does not simply agree, and a count of all per day.
-- Rights follow from the defaults of the schema market.

create type market.reconciliation_verdict as enum ('quote_basis', 'outlier', 'missing');

create table market.reconciliation (
    base text not null,
    timeframe market.timeframe not null,
    opened_at timestamptz not null,
    instrument_id integer not null references market.instrument,
    verdict market.reconciliation_verdict not null,
    reason text not null check (reason <> ''),
    is_attributed boolean not null,
    suspects text[] not null check (cardinality(suspects) > 0),
    deviation_bps float8,
    threshold_bps float8,
    basis_bps float8,
    recorded_at timestamptz not null,
    primary key (base, timeframe, opened_at, instrument_id)
);
comment on table market.reconciliation is
'Candles that do not agree with those of other venues; a candle without a row agrees, or nobody else has its hour.';
comment on column market.reconciliation.is_attributed is
'This instrument is named; false: one of the suspects is wrong, and the candles at hand cannot tell which.';
comment on column market.reconciliation.suspects is 'Venue and symbol of all that come into question.';
comment on column market.reconciliation.deviation_bps is
'Distance from the rest, 1e4 times the logarithm of the ratio of prices (of volumes for reasons volume, volume_unit).';
comment on column market.reconciliation.basis_bps is 'What of it is the price of the quote in another quote.';

create table market.reconciliation_day (
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    day date not null,
    base text not null,
    agree integer not null check (agree >= 0),
    quote_basis integer not null check (quote_basis >= 0),
    outlier integer not null check (outlier >= 0),
    missing integer not null check (missing >= 0),
    uncompared integer not null check (uncompared >= 0),
    recorded_at timestamptz not null,
    primary key (instrument_id, timeframe, day)
);
comment on table market.reconciliation_day is
'Candles of an instrument and UTC day by verdict, so that agreement is known too.';
comment on column market.reconciliation_day.uncompared is 'Candles of hours no other venue has.';
