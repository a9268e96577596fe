// Cutting a line chart to its last months. Points are [ISO date, number] in order of date.
export const RANGES = { "1m": 1, "6m": 6, "1y": 12, "3y": 36, all: null };

const last = (data) => data.series.map((s) => s.points.at(-1)?.[0] ?? "").reduce((a, b) => (a > b ? a : b), "");
const first = (data) => data.series.map((s) => s.points[0]?.[0] ?? "9999").reduce((a, b) => (a < b ? a : b), "9999");

function monthsBefore(iso, months) {
  const at = new Date(iso);
  const wanted = at.getUTCDate();
  at.setUTCDate(1);
  at.setUTCMonth(at.getUTCMonth() - months);
  const length = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  at.setUTCDate(Math.min(wanted, length));
  return at.toISOString().slice(0, 10);
}

/** Whether the data reaches back over that range (then its button makes sense). */
export function spans(data, range) {
  if (range === "all") return true;
  return last(data) !== "" && first(data) < monthsBefore(last(data), RANGES[range]);
}

/** The same chart with only the points of the last `months`; the point on or before the edge is kept as its start. */
export function cut(data, months) {
  if (!months || !last(data)) return data;
  const from = monthsBefore(last(data), months);
  const kept = (points) => {
    const start = points.findIndex(([on]) => on > from);
    return start < 0 ? points.slice(-1) : points.slice(Math.max(0, start - 1));
  };
  return { ...data, series: data.series.map((s) => ({ ...s, points: kept(s.points) })) };
}
