// Numbers and dates as the pages write them. `unit`: rupees, nav, percent, units or number.
const fixed = (places) => new Intl.NumberFormat("en-IN", { minimumFractionDigits: places, maximumFractionDigits: places });
const PLACES = { rupees: 2, nav: 4, percent: 2, units: 3, number: 0 };
const FORMATS = Object.fromEntries(Object.entries(PLACES).map(([unit, places]) => [unit, fixed(places)]));
const ONE = new Intl.NumberFormat("en-IN", { maximumFractionDigits: 1 });
const AXIS = new Intl.NumberFormat("en-IN", { maximumFractionDigits: 2 });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", year: "2-digit", timeZone: "UTC" });
const SPAN = { "1m": "in 1 month", "6m": "in 6 months", "1y": "in 1 year", "3y": "in 3 years", all: "since the first day shown" };

const signed = (value, text) => (value < 0 ? `−${text}` : text);

/** Exact, for tooltips and tables. */
export function exact(value, unit) {
  const text = FORMATS[unit]?.format(Math.abs(value)) ?? String(value);
  if (unit === "percent") return signed(value, `${text}%`);
  return signed(value, unit === "rupees" || unit === "nav" ? `₹${text}` : text);
}

/** Short, for axes: ₹12.4 L. */
export function short(value, unit) {
  if (unit === "percent") return signed(value, `${AXIS.format(Math.abs(value))}%`);
  const size = Math.abs(value);
  const [by, word] = size >= 1e7 ? [1e7, " Cr"] : size >= 1e5 ? [1e5, " L"] : [1, ""];
  const text = (by > 1 ? ONE : AXIS).format(size / by) + word;
  return signed(value, unit === "rupees" || unit === "nav" ? `₹${text}` : text);
}

export const day = (iso) => DAY.format(new Date(iso));
export const month = (iso) => MONTH.format(new Date(iso));
export const year = (iso) => String(new Date(iso).getUTCFullYear());

/** How the first line moved over the range, with sign, arrow and words: nodes for the page. */
export function changeText(data, range) {
  const points = data.kind === "line" ? (data.series[0]?.points ?? []) : [];
  if (points.length < 2 || !points[0][1]) return [];
  const percent = (points.at(-1)[1] / points[0][1] - 1) * 100;
  const figure = document.createElement("span");
  figure.className = Math.abs(percent) < 0.005 ? "flat" : percent > 0 ? "gain" : "loss";
  figure.textContent = (percent > 0.005 ? "+" : "") + exact(percent, "percent");
  return [figure, document.createTextNode(` ${SPAN[range]}`)];
}
