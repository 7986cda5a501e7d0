-- Visits: a visitor's slots in order, cut where the silence is longer than the gap.
SELECT site_id, day, visitor, arrayJoin(arraySplit(
    (slot, silence_ms) -> silence_ms > {gap_ms:Int64}, slots,
    arrayMap((slot, before) -> slot.first_ms - before.last_ms, slots, arrayPushFront(arrayPopBack(slots), slots[1])))) AS visit
FROM (
  SELECT site_id, day, visitor, arraySort(slot -> slot.first_ms, groupArray(slot)) AS slots
  FROM (
@slots
  )
  GROUP BY site_id, day, visitor
)
