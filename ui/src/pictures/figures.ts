// The rows of demo/pictures/figures.py, and how figures are written.
export interface Figures {
  valuation: { day: string }[];
  premium: { year: number; line: string; written: number }[];
  claims: { year: number; line: string; earned: number; incurred: number; reported: number; open: number; loss_ratio: number | null }[];
  triangle: { year: number; age: number; cumulative: number }[];
  factors: { age: number; factor: number | null }[];
  ultimates: { year: number; ultimate: number | null; ibnr: number | null }[];
  movement: Movement[];
  retention: { month: string; expiring: number; renewed: number; renewal_ratio: number | null; premium_retention: number | null }[];
  fraud: { score: number; band: string; claims: number }[];
  quality: { table: string; rule: string; action: string; passed: number; failed: number; amount: number | null }[];
}
export interface Movement {
  year: number; opening: number; new: number; reinstated: number; cancelled: number; lapsed: number;
  surrendered: number; claims: number; closing: number; premium: number;
}

export const figures = JSON.parse(document.getElementById("document")?.textContent ?? "{}") as Figures;

const orDash = (format: (value: number) => string) => (value: number | null): string => (value === null ? "–" : format(value));
export const whole = orDash((value) => Math.round(value).toLocaleString("en-US"));
export const percent = orDash((value) => `${(100 * value).toFixed(0)} %`);
export const thousands = orDash((value) => `${Math.round(value / 1000).toLocaleString("en-US")}k`);
export const factor = orDash((value) => value.toFixed(3));
export const named = (line: string): string => (line === "ALL" ? "All lines" : line.charAt(0) + line.slice(1).toLowerCase().replace("_", "-"));
