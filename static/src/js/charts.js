// Charts, loaded only by pages that have one. A chart is a <figure data-chart="id"> (templates/components/_chart.html);
// its data is the JSON of <script type="application/json" id="id">. Colours come from the tokens, so the theme rules.
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, GridComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { dataTable } from "./chart-table.js";
import { colours } from "./chart-colours.js";
import { optionsOf } from "./chart-options.js";
import { RANGES, cut, spans } from "./chart-ranges.js";
import { changeText } from "./chart-text.js";

echarts.use([BarChart, LineChart, PieChart, AriaComponent, GridComponent, TooltipComponent, CanvasRenderer]);

const live = new Map();

function start(figure) {
  if (live.has(figure)) return;
  const whole = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const canvas = figure.querySelector("[data-chart-canvas]");
  const state = { whole, data: whole, range: "all", view: echarts.init(canvas), canvas };
  live.set(figure, state);
  new ResizeObserver(() => state.view.resize()).observe(canvas);
  ranges(figure, state);
  figure.querySelector("[data-chart-table]")?.addEventListener("click", (event) => toggle(figure, state, event.currentTarget));
  draw(figure, state);
}

function draw(figure, state) {
  const title = figure.querySelector("figcaption")?.textContent.trim() ?? "";
  state.view.setOption(optionsOf(state.data, colours(figure), title), true);
  const note = figure.querySelector("[data-chart-change]");
  if (note) note.replaceChildren(...changeText(state.data, state.range));
  const table = figure.querySelector("[data-chart-rows]");
  if (table && !table.hidden) table.replaceChildren(dataTable(state.data, title));
}

function ranges(figure, state) {
  const box = figure.querySelector("[data-chart-ranges]");
  if (!box || state.whole.kind !== "line") return;
  for (const button of box.querySelectorAll("button")) {
    button.hidden = !spans(state.whole, button.value);
    button.addEventListener("click", () => pick(figure, state, box, button.value));
  }
  const first = [...box.querySelectorAll("button")].find((b) => b.value === (state.whole.range ?? "1y") && !b.hidden);
  box.hidden = [...box.querySelectorAll("button:not([hidden])")].length < 2;
  pick(figure, state, box, first ? first.value : "all", false);
}

function pick(figure, state, box, range, redraw = true) {
  state.range = range;
  state.data = cut(state.whole, RANGES[range]);
  for (const button of box.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === range));
  if (redraw) draw(figure, state);
}

function toggle(figure, state, button) {
  const rows = figure.querySelector("[data-chart-rows]");
  const shown = rows.hidden;
  rows.hidden = !shown;
  state.canvas.hidden = shown;
  button.setAttribute("aria-expanded", String(shown));
  button.querySelector("[data-label]").textContent = shown ? "Show chart" : "Show data";
  draw(figure, state);
  if (!shown) state.view.resize();
}

function everything() {
  for (const [figure, state] of live) {
    if (figure.isConnected) continue;
    state.view.dispose();
    live.delete(figure);
  }
  document.querySelectorAll("[data-chart]").forEach(start);
}

document.addEventListener("theme:changed", () => {
  for (const [figure, state] of live) draw(figure, state);
});
document.addEventListener("htmx:after:swap", everything);
// The font is awaited so that the canvas is not drawn in the fallback.
(document.fonts?.ready ?? Promise.resolve()).then(everything);
