// The charts, drawn by Observable Plot. Colours are those of the page's theme.
import { axisX, axisY, barX, barY, dot, lineY, plot, ruleX, ruleY, text } from "@observablehq/plot";
import { figures, named, percent, thousands, whole, type Movement } from "./figures";

type Chart = SVGElement | HTMLElement;
const STYLE = { background: "none", fontSize: "12px", overflow: "visible", maxWidth: "none" };
const LABEL = { fill: "currentColor", stroke: "var(--back)", strokeWidth: 4 };
const YEARS = 3; // that the waterfall shows
const lines = figures.claims.filter((each) => each.line !== "ALL").map((each) => ({ ...each, line: named(each.line) }));

export function premium(width: number): Chart {
  const rows = figures.premium.map((each) => ({ ...each, line: named(each.line) }));
  return plot({
    width, height: 210, style: STYLE, marginLeft: 20, marginTop: 34, fx: { label: null }, x: { label: null, type: "band", tickFormat: String }, y: { axis: null, insetTop: 18 },
    marks: [
      barY(rows, { fx: "line", x: "year", y: "written", fill: "var(--accent)" }),
      text(rows, { fx: "line", x: "year", y: "written", text: (each) => thousands(each.written), dy: -8, ...LABEL }),
      ruleY([0]),
    ],
  });
}

export function lossRatio(width: number): Chart {
  const known = lines.filter((each) => each.loss_ratio !== null);
  return plot({
    width, height: 210, style: STYLE, marginLeft: 20, marginTop: 34, fx: { label: null }, x: { label: null, type: "point", tickFormat: String, padding: 0.6 },
    y: { axis: null, insetTop: 18, domain: [0, Math.max(1.1, ...known.map((each) => each.loss_ratio ?? 0)) * 1.1] },
    marks: [
      ruleY([1], { stroke: "var(--bad)", strokeDasharray: "3 3" }),
      lineY(known, { fx: "line", x: "year", y: "loss_ratio", stroke: "var(--accent)", strokeWidth: 2 }),
      dot(known, { fx: "line", x: "year", y: "loss_ratio", r: 4, fill: (each) => (each.loss_ratio > 1 ? "var(--bad)" : "var(--accent)") }),
      text(known, { fx: "line", x: "year", y: "loss_ratio", text: (each) => percent(each.loss_ratio), dy: -12, ...LABEL }),
      ruleY([0]),
    ],
  });
}

const STEPS: [keyof Movement, string, number][] = [
  ["new", "New business", 1], ["reinstated", "Reinstated", 1], ["cancelled", "Cancelled", -1],
  ["lapsed", "Lapsed", -1], ["surrendered", "Surrendered", -1], ["claims", "Death, maturity", -1],
];

export function movement(width: number): Chart {
  const bars = figures.movement.slice(-YEARS).flatMap(waterfall);
  const order = ["Opening", ...STEPS.map(([, name]) => name), "Closing"];
  return plot({
    width, height: 270, style: STYLE, marginLeft: 110, marginRight: 10, marginTop: 34,
    fx: { label: null, axis: "top", tickFormat: String }, x: { axis: null, insetRight: 34 }, y: { domain: order, label: null },
    color: { domain: ["total", "in", "out"], range: ["var(--soft)", "var(--good)", "var(--bad)"] },
    marks: [
      axisY({ label: null, tickSize: 0 }),
      barX(bars, { fx: "year", y: "step", x1: "from", x2: "to", fill: "kind" }),
      text(bars, { fx: "year", y: "step", x: (each) => Math.max(each.from, each.to), text: "label", dx: 6, textAnchor: "start", ...LABEL }),
      ruleX([0]),
    ],
  });
}

function waterfall(row: Movement): { year: number; step: string; from: number; to: number; kind: string; label: string }[] {
  const { year, opening, closing } = row;
  let level = opening;
  const steps = STEPS.map(([key, step, sign]) => {
    const from = level;
    level += sign * row[key];
    return { year, step, from, to: level, kind: sign > 0 ? "in" : "out", label: `${!row[key] ? "" : sign > 0 ? "+" : "−"}${whole(row[key])}` };
  });
  const total = (step: string, to: number) => ({ year, step, from: 0, to, kind: "total", label: whole(to) });
  return [total("Opening", opening), ...steps, total("Closing", closing)];
}

export function retention(width: number): Chart {
  const rows = figures.retention.flatMap((each) => [
    { month: new Date(each.month), ratio: each.renewal_ratio, of: "policies" },
    { month: new Date(each.month), ratio: each.premium_retention, of: "premium" },
  ]).filter((each) => each.ratio !== null);
  return plot({
    width, height: 240, style: STYLE, marginLeft: 44, marginRight: 64, x: { type: "utc", label: null },
    y: { label: null, percent: true, domain: [0, 120], grid: true }, color: { domain: ["policies", "premium"], range: ["var(--accent)", "var(--warn)"] },
    marks: [
      axisY({ label: null, tickFormat: (value: number) => `${value} %`, ticks: 6 }),
      lineY(rows, { x: "month", y: "ratio", stroke: "of", strokeWidth: 2, z: "of" }),
      ...[["policies", 7], ["premium", -7]].map(([of, dy]) =>
        text(rows.filter((each) => each.of === of).slice(-1), { x: "month", y: "ratio", text: "of", dx: 6, dy: dy as number, textAnchor: "start", fill: "of" })),
    ],
  });
}

export function fraud(width: number): Chart {
  return plot({
    width, height: 240, style: STYLE, marginTop: 24, marginLeft: 20, x: { label: "score", type: "band" }, y: { axis: null },
    color: { domain: ["LOW", "MEDIUM", "HIGH"], range: ["var(--good)", "var(--warn)", "var(--bad)"] },
    marks: [
      axisX({ label: "score", tickSize: 0 }),
      barY(figures.fraud, { x: "score", y: "claims", fill: "band" }),
      text(figures.fraud, { x: "score", y: "claims", text: (each) => `${whole(each.claims)} ${each.band.toLowerCase()}`, dy: -8, ...LABEL }),
      ruleY([0]),
    ],
  });
}
