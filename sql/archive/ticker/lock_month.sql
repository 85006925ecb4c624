-- Holds the partition of a month against writers until the transaction ends; others read on.
-- Names: partition. No parameters.
lock table {{ partition }} in share row exclusive mode
