// The figures of a chart as a table. A long line is shown by its month ends, and the caption says so.
import { day, exact } from "./chart-text.js";

const MANY = 130;
const cell = (tag, text, right) =>
  Object.assign(document.createElement(tag), { textContent: text, className: right ? "right" : "", scope: tag === "th" ? "col" : "" });

export function dataTable(data, title) {
  const { head, rows, note } = { line: lineRows, bar: barRows, doughnut: sliceRows }[data.kind](data);
  const table = Object.assign(document.createElement("table"), { className: "table" });
  table.createCaption().textContent = `${title}${note}`;
  table.caption.className = "sr-only";
  table.createTHead().insertRow().append(...head.map((text, i) => cell("th", text, i > 0)));
  const body = table.createTBody();
  for (const row of rows) body.insertRow().append(...row.map((text, i) => cell("td", text, i > 0)));
  return table;
}

function lineRows(data) {
  const byDay = new Map();
  data.series.forEach((series, place) => {
    for (const [on, value] of series.points) {
      if (!byDay.has(on)) byDay.set(on, Array(data.series.length).fill(null));
      byDay.get(on)[place] = value;
    }
  });
  let days = [...byDay.keys()].sort();
  const long = days.length > MANY;
  if (long) days = days.filter((on, i) => i === 0 || days[i + 1]?.slice(0, 7) !== on.slice(0, 7));
  return {
    head: ["Date", ...data.series.map((s) => s.name)],
    rows: days.reverse().map((on) => [day(on), ...byDay.get(on).map((v) => (v === null ? "–" : exact(v, data.unit)))]),
    note: long ? " (last day of each month)" : "",
  };
}

const barRows = (data) => ({
  head: ["", ...data.series.map((s) => s.name)],
  rows: data.categories.map((name, i) => [name, ...data.series.map((s) => exact(s.values[i], data.unit))]),
  note: "",
});

function sliceRows(data) {
  const total = data.slices.reduce((sum, slice) => sum + slice.value, 0);
  const share = (value) => (total ? exact((value / total) * 100, "percent") : "–");
  return {
    head: ["Part", "Value", "Share"],
    rows: data.slices.map(({ name, value }) => [name, exact(value, data.unit), share(value)]),
    note: "",
  };
}
