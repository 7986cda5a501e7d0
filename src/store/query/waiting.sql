-- The last hit that still waits for its hour to close. Raw knows no sealed days: the caller's window is all of time.
SELECT toUnixTimestamp64Milli(max(ts)) AS last_event_ms, count() > 0 AS any
FROM events WHERE @sealed AND toStartOfHour(ts) >= {horizon:DateTime('UTC')} AND bot = 0
