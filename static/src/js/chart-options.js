// ECharts options for our three kinds. Tooltips are built from elements with classes: the content security policy
// allows no style attributes.
import { faded } from "./chart-colours.js";
import { day, exact, month, short, year } from "./chart-text.js";

const FONT = "Inter, Inter Fallback, system-ui, sans-serif";
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const DAY_MS = 86400000;

export function optionsOf(data, colour, title) {
  const make = { line, bar, doughnut }[data.kind];
  return { ...common(colour, title), ...make(data, colour) };
}

function common(colour, title) {
  return {
    animation: !STILL.matches,
    animationDuration: 350,
    color: colour.series,
    textStyle: { fontFamily: FONT, fontSize: 13, color: colour["ink-2"] },
    aria: { enabled: true, label: { description: `${title}. The same figures are in the table behind Show data.` } },
  };
}

const tip = (colour) => ({
  confine: true,
  className: "chart-tip",
  backgroundColor: colour.surface,
  borderColor: colour.line,
  borderWidth: 1,
  padding: [8, 12],
  textStyle: { color: colour.ink, fontFamily: FONT, fontSize: 13 },
  extraCssText: "box-shadow:none;border-radius:8px",
});

function tipBox(head, rows) {
  const box = document.createElement("div");
  box.append(Object.assign(document.createElement("div"), { className: "chart-tip-head", textContent: head }));
  for (const [name, value] of rows) {
    const row = Object.assign(document.createElement("div"), { className: "chart-tip-row" });
    row.append(
      Object.assign(document.createElement("span"), { textContent: name }),
      Object.assign(document.createElement("b"), { textContent: value }),
    );
    box.append(row);
  }
  return box;
}

const valueAxis = (unit, colour, fromZero) => ({
  type: "value",
  scale: !fromZero,
  splitNumber: 3,
  axisLabel: { color: colour["ink-3"], formatter: (v) => short(v, unit) },
  splitLine: { lineStyle: { color: colour.line } },
});

const plot = { left: 0, right: 8, top: 12, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" };

function dateLabel(data) {
  const points = data.series[0]?.points ?? [];
  const days = points.length ? (new Date(points.at(-1)[0]) - new Date(points[0][0])) / DAY_MS : 0;
  if (days > 1500) return year;
  return days > 100 ? month : (at) => day(at).replace(/ \d{4}$/, "");
}

function line(data, colour) {
  return {
    grid: plot,
    xAxis: {
      type: "time",
      axisLine: { lineStyle: { color: colour.line } },
      axisTick: { show: false },
      splitNumber: 4,
      axisLabel: { color: colour["ink-3"], hideOverlap: true, formatter: dateLabel(data) },
    },
    yAxis: valueAxis(data.unit, colour, data.from_zero),
    tooltip: {
      ...tip(colour),
      trigger: "axis",
      axisPointer: { lineStyle: { color: colour["ink-3"], type: "solid", width: 1 } },
      formatter: (hits) => tipBox(day(hits[0].value[0]), hits.map((h) => [h.seriesName, exact(h.value[1], data.unit)])),
    },
    series: data.series.map((s, i) => oneLine(s, colour.series[i % colour.series.length], i)),
  };
}

function oneLine(series, colour, place) {
  return {
    type: "line",
    name: series.name,
    data: series.points,
    step: series.step ? "end" : false,
    showSymbol: series.points.length < 2,
    sampling: "lttb",
    lineStyle: { width: place ? 1.5 : 2, type: place ? [5, 4] : "solid", color: colour },
    itemStyle: { color: colour },
    emphasis: { disabled: true },
    areaStyle: place ? undefined : { color: faded(colour, 0.07), origin: "start" },
  };
}

function bar(data, colour) {
  const sign = (value) => (value < 0 ? colour.loss : colour.gain);
  return {
    grid: plot,
    xAxis: {
      type: "category",
      data: data.categories,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colour.line } },
      axisLabel: { color: colour["ink-3"], hideOverlap: true },
    },
    yAxis: valueAxis(data.unit, colour, true),
    tooltip: {
      ...tip(colour),
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: faded(colour["ink-3"], 0.1) } },
      formatter: (hits) => tipBox(hits[0].name, hits.map((h) => [h.seriesName, exact(h.value, data.unit)])),
    },
    series: data.series.map((s) => ({
      type: "bar",
      name: s.name,
      barMaxWidth: 28,
      itemStyle: { borderRadius: 3 },
      data: data.signed ? s.values.map((value) => ({ value, itemStyle: { color: sign(value) } })) : s.values,
    })),
  };
}

function doughnut(data, colour) {
  return {
    tooltip: {
      ...tip(colour),
      formatter: (hit) => tipBox(hit.name, [[`${hit.percent.toFixed(2)}%`, exact(hit.value, data.unit)]]),
    },
    series: [
      {
        type: "pie",
        radius: ["62%", "92%"],
        padAngle: data.slices.length > 1 ? 1.5 : 0,
        label: { show: false },
        emphasis: { scale: false },
        itemStyle: { borderRadius: 3, borderColor: colour.surface, borderWidth: 0 },
        data: data.slices,
      },
    ],
  };
}
