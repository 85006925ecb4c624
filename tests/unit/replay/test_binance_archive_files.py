"""Names, days of publication and bytes of the replayed archive's files, and what is wrong with them on demand."""

import gzip
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from include.replay import bars as b
from include.replay.binance_archive_files import checksum_of, etag_of, file_of, zip_of
from include.replay.binance_archive_quirks import ArchiveQuirks, Quirk
from include.replay.recorded import RecordedWorld

MONTH = "data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01.zip"
DAY = "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-02-29.zip"
AT = datetime(2024, 3, 1, tzinfo=UTC)


def test_a_month_appears_on_the_first_monday_of_the_next() -> None:
    file = file_of(MONTH)
    assert file is not None
    assert (file.symbol, file.interval, file.name) == ("BTCUSDT", "1h", "BTCUSDT-1h-2024-01.zip")
    assert (file.start, file.end) == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    assert file.published_at == datetime(2024, 2, 5, 10, tzinfo=UTC)
    on_a_monday = file_of(MONTH.replace("2024-01", "2024-03"))
    assert on_a_monday is not None
    assert on_a_monday.published_at == datetime(2024, 4, 1, 10, tzinfo=UTC)
    december = file_of(MONTH.replace("2024-01", "2023-12"))
    assert december is not None
    assert december.end == datetime(2024, 1, 1, tzinfo=UTC)


def test_a_day_appears_on_the_next() -> None:
    file = file_of(DAY)
    assert file is not None
    assert (file.start, file.end) == (datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
    assert file.published_at == datetime(2024, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "key",
    [
        "",
        MONTH.replace("monthly", "daily"),
        MONTH.replace("/1h/", "/1m/"),
        MONTH.replace("spot", "futures/um"),
        MONTH.replace("-01.zip", "-13.zip"),
        MONTH.replace("2024-01", "9999-12"),
        MONTH.replace("2024-01", "0000-01"),
        MONTH.replace(".zip", ".csv"),
        DAY.replace("-29", "-30"),
        DAY.replace("1m", "1mo"),
        DAY.replace("1m", "3d"),
        "data/spot/monthly/klines/BTCUSDT/1M/BTCUSDT-1M-2024-01.zip",
    ],
)
def test_other_keys_name_no_file(key: str) -> None:
    assert file_of(key) is None


def bar(opened: datetime) -> b.Bars:
    ms = int(opened.timestamp() * 1000)
    return np.array([[ms, 10**9, 2 * 10**9, 10**8, 10**9, 5, ms + 3_599_999, 7, 3, 2, 4]], dtype=np.int64)


def content(body: bytes) -> tuple[str, str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        (name,) = archive.namelist()
        return name, archive.read(name).decode()


def test_rows_are_what_the_venue_publishes() -> None:
    file = file_of(MONTH)
    assert file is not None
    name, text = content(zip_of(file, bar(file.start), header=False))
    figures = "10.00000000,20.00000000,1.00000000,10.00000000,0.00000005"
    row = f"1704067200000,{figures},1704070799999,0.00000007,3,0.00000002,0.00000004,0\n"
    assert (name, text) == ("BTCUSDT-1h-2024-01.csv", row)
    _, with_header = content(zip_of(file, bar(file.start), header=True))
    assert with_header.startswith("open_time,open,high,")
    assert with_header.endswith(text)


def test_bytes_are_the_same_each_time() -> None:
    file = file_of(MONTH)
    assert file is not None
    first, second = (zip_of(file, bar(file.start), header=False) for _ in range(2))
    assert first == second
    assert etag_of(first) == etag_of(second) != etag_of(first + b"x")
    assert checksum_of(first, file.name).endswith(b"  BTCUSDT-1h-2024-01.zip")
    assert len(checksum_of(first, file.name).split()[0]) == 64


def test_files_of_2025_on_have_microseconds(recorded_world: RecordedWorld, market_data_dir: Path) -> None:
    file = file_of(MONTH.replace("2024-01", "2025-01"))
    assert file is not None
    start_ms, end_ms = (int(at.timestamp() * 1000) for at in (file.start, file.end))
    bars = recorded_world.closed("BTCUSDT", "1h", start_ms, end_ms, 1000, False)
    _, text = content(zip_of(file, bars, header=False))
    published = gzip.decompress((market_data_dir / "binance/vision_csv/BTCUSDT-1h-2025-01.csv.gz").read_bytes())
    differing = [
        (ours, theirs)
        for ours, theirs in zip(text.splitlines(), published.decode().splitlines(), strict=True)
        if ours != theirs
    ]
    # The recorded world's quote volumes went through doubles; above 1e8 these lose the last decimals.
    for ours, theirs in differing:
        pairs = [(a, c) for a, c in zip(ours.split(","), theirs.split(","), strict=True) if a != c]
        assert all(float(a) == float(c) > 1e8 for a, c in pairs)
    assert len(differing) < 744 // 2


def test_quirks_meet_the_files_they_name_until_they_are_put_right() -> None:
    quirks = ArchiveQuirks()
    quirks.add(Quirk("truncated_month", "BTCUSDT-1h-2024-*.zip", AT))
    quirks.add(Quirk("header_line", "BTCUSDT-1h-2024-01.zip"))
    before, after = datetime(2024, 2, 29, tzinfo=UTC), AT
    assert quirks.of("BTCUSDT-1h-2024-01.zip", before) == (frozenset({"truncated_month", "header_line"}), None)
    assert quirks.of("BTCUSDT-1h-2024-01.zip", after) == (frozenset({"header_line"}), AT)
    assert quirks.of("BTCUSDT-1h-2024-02.zip", after) == (frozenset(), AT)
    assert quirks.of("ETHUSDT-1h-2024-02.zip", before) == (frozenset(), None)
    quirks.clear()
    assert quirks.of("BTCUSDT-1h-2024-01.zip", before) == (frozenset(), None)


def test_an_unknown_quirk_is_refused() -> None:
    with pytest.raises(ValueError, match="known: wrong_checksum"):
        ArchiveQuirks().add(Quirk("haunted", "*"))
