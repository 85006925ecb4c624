"""How far two venues may lie apart: every constant of the comparison and the figures behind it.

Natural logarithms of price ratios: 0.0001 is one basis point. The figures are those of docs/adr/0013-reconciliation.md.
"""

from __future__ import annotations

# Candles before an hour from which the usual distance of two markets is taken (its median), and how many suffice.
CONTEXT = 168
LEAST_CONTEXT = 24
# Candles after an hour that have to be closed before it is judged: its close is held against the next open.
LOOKAHEAD = 1

# A close or open deviates beyond WIDE of the range around it (the mean of both hours that meet in that price) plus
# NOISE times the usual size of that pair's deviations, and at least FLOOR.
FLOOR = 40e-4
WIDE = 0.4
NOISE = 10.0
USUAL_NOISE = 4e-4
# Who is to blame is decided by the pairs that are at least this share of the widest distance apart: a market whose
# own threshold is wide would otherwise side with everybody.
SIDING = 0.5
# Without enough context the usual distance is unknown.
UNKNOWN_BASIS = 60e-4

# Two prices of one coin further apart than this are a wrong scale, coin or unit, whatever the quote.
LEVEL = 0.2231435513142097
# Markets of one quote whose usual distance is larger do not quote the same thing.
SAME_QUOTE_LEVEL = 200e-4
# A quote this far from the numeraire is named, however long it lasts.
BASIS = 50e-4
# The distance of two series changes from a close to the next open by at most this, or SLIP_WIDE of the range around it
# plus SLIP_NOISE times the usual change.
SLIP_FLOOR = 20e-4
SLIP_WIDE = 0.2
SLIP_NOISE = 15.0

# Two base coins show the same move of a quote if they differ by no more than this share of it, or the floor.
ALIKE = 0.2
ALIKE_FLOOR = 20e-4

# A high above all others' or a low below them.
WICK_FLOOR = 400e-4
WICK_WIDE = 2.5
WICK_NOISE = 20.0

# A series is another candle's (one later or earlier), or has open and close exchanged, if over SHIFT_WINDOW candles
# that reading leaves at most SHIFT_RATIO of the scatter of their distance, and this is more than SHIFT_FLOOR.
SHIFT_WINDOW = 12
SHIFT_RATIO = 0.4
SHIFT_FLOOR = 4e-4

# Volume ratios, natural logarithms. Too much: at least VOLUME_FLOOR and VOLUME_SHARE of the price's own logarithm, by
# which a volume in units of the quote is too large; VOLUME_LEVEL_SHARE of it if it is for long. Too little:
# VOLUME_FLOOR and VOLUME_NOISE times the usual size of that ratio's deviations.
VOLUME_FLOOR = 3.7
VOLUME_SHARE = 0.65
VOLUME_LEVEL_SHARE = 0.75
VOLUME_NOISE = 4.0

# Candles without movement in a row, while others moved at least STALE_RANGE in each.
STALE_RUN = 2
STALE_RANGE = 8e-4
# Average price of an hour may leave its own range by this much (rounding of the volumes).
VWAP_SLACK = 1e-3
