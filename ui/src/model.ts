// What one node of the graph and one line of the table show: a dataset with its flows taken together.
import type { Dataset, Flow, Past, Rule, UpdateDocument } from "./document";
import { grouping } from "./groups";

export interface Node {
  name: string; short: string; group: string; kind: string; status: string;
  dataset: Dataset | null; flows: Flow[]; reads: string[]; rules: Rule[];
  written: number; deleted: number; dropped: number; broken: number;
  seconds: number | null; why: string;
}

const NOTHING = "MAINTENANCE_TYPE_NO_OP";
const WORST = ["FAILED", "SKIPPED", "STOPPED", "RUNNING", "STARTING", "QUEUED", "IDLE", "COMPLETED", "EXCLUDED"];
const KINDS: Record<string, string> = {
  STREAMING_TABLE: "streaming table", MATERIALIZED_VIEW: "materialized view", VIEW: "view", TEMPORARY_VIEW: "view",
  MANAGED_TABLE: "managed table", SINK: "sink", OUTSIDE: "outside table", PATH: "files",
};
const OUTSIDE: Record<string, string> = { TABLE: "OUTSIDE", PATH: "PATH" };
const SIGNS: Record<string, string> = {
  COMPLETED: "✓", FAILED: "✗", SKIPPED: "⊘", STOPPED: "■", RUNNING: "⟳", STARTING: "⟳", QUEUED: "○", IDLE: "✓", EXCLUDED: "–",
};

export const isView = (node: Node): boolean => node.kind === "VIEW" || node.kind === "TEMPORARY_VIEW";
const isHelper = (node: Node): boolean => isView(node) || node.dataset?.private === true || node.kind === "PATH";
export const sign = (status: string): string => SIGNS[status] ?? "·";
export const word = (status: string): string => (status || "defined").toLowerCase();
export const kindName = (kind: string): string => KINDS[kind] ?? kind.toLowerCase();
export const isStream = (node: Node): boolean => node.kind === "STREAMING_TABLE";
export const isUpToDate = (node: Node): boolean => node.flows.length > 0 && node.flows.every((flow) => flow.technique === NOTHING);
export const count = (value: number): string => value.toLocaleString("en-US");
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
export const lastPart = (name: string): string => name.split(".").pop() ?? name;
export const moment = (time: string): string => new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function duration(seconds: number | null): string {
  if (seconds === null) return "";
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

export function nodesOf(doc: UpdateDocument): Node[] {
  const groups = grouping(doc.datasets);
  const outside = doc.outside.map((each) => node(each.name, null, [], groups, OUTSIDE[each.kind]));
  const own = doc.datasets.map((dataset) => {
    const flows = doc.flows.filter((flow) => flow.target === dataset.name);
    return node(dataset.name, dataset, flows, groups);
  });
  return [...outside, ...own];
}

function node(
  name: string, dataset: Dataset | null, flows: Flow[], groups: (name: string) => string, kind = "",
): Node {
  const rules = flows.flatMap((flow) => flow.rules);
  return {
    name, dataset, flows, rules,
    short: kind === "PATH" ? name.split("/").filter(Boolean).slice(-2).join("/") : lastPart(name),
    group: dataset ? groups(name) : "outside",
    kind: dataset?.kind ?? kind,
    status: WORST.find((status) => flows.some((flow) => flow.status === status)) ?? "",
    reads: [...new Set(flows.flatMap((flow) => flow.reads))].filter((read) => read !== name),
    written: sum(flows.map((flow) => flow.rows + flow.upserted)),
    deleted: sum(flows.map((flow) => flow.deleted)),
    dropped: sum(flows.map((flow) => flow.dropped)),
    broken: rules.filter((rule) => rule.failed > 0).length,
    seconds: flows.some((flow) => flow.seconds !== null) ? sum(flows.map((flow) => flow.seconds ?? 0)) : null,
    why: flows.map((flow) => flow.why).find(Boolean) ?? "",
  };
}

// ▲ or ▼ if the rows changed by more than a fifth.
export function change(written: number, before: number | null): string {
  if (before === null || written === before) return "";
  if (Math.abs(written - before) <= 0.2 * before) return "";
  return written > before ? "▲" : "▼";
}

// The rows that the node's flows wrote in an earlier update; null if none of them ran.
export function writtenIn(past: Past | undefined, node: Node): number | null {
  const rows = node.flows.map((flow) => past?.flows[flow.name]).filter((each) => each !== undefined);
  return rows.length ? sum(rows) : null;
}

export function sentence(node: Node): string {
  const parts = [node.short, kindName(node.kind)];
  if (node.dataset) parts.push(word(node.status));
  if (node.dataset && !isView(node)) parts.push(counted(node.written, "row"));
  if (node.broken) parts.push(counted(node.broken, "broken rule"));
  return parts.join(", ");
}

// `claim` finds names; `+claim` adds what they are made from, `claim+` what is made from them.
export function search(nodes: Node[], text: string): Set<string> {
  const query = text.trim().toLowerCase();
  const wanted = query.replace(/^\+|\+$/g, "");
  const result = new Set(nodes.filter((each) => each.name.toLowerCase().includes(wanted)).map((each) => each.name));
  const start = [...result];
  if (query.startsWith("+")) reach(start, parents(nodes), result);
  if (query.endsWith("+")) reach(start, children(nodes), result);
  return result;
}

export function kin(nodes: Node[], name: string): Set<string> {
  const result = new Set([name]);
  reach([name], parents(nodes), result);
  reach([name], children(nodes), result);
  return result;
}

// Failed nodes, what was skipped because of them, and the views between.
export function failedPath(nodes: Node[]): Set<string> {
  const named = (status: string): string[] => nodes.filter((node) => node.status === status).map((node) => node.name);
  const [failed, skipped] = [named("FAILED"), named("SKIPPED")];
  const [below, above] = [new Set<string>(), new Set<string>()];
  reach(failed, children(nodes), below);
  reach(skipped, parents(nodes), above);
  return new Set([...failed, ...skipped, ...nodes.filter((node) => isView(node) && below.has(node.name) && above.has(node.name)).map((node) => node.name)]);
}

const parents = (nodes: Node[]) => new Map(nodes.map((each) => [each.name, each.reads]));

function children(nodes: Node[]): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const each of nodes) for (const read of each.reads) result.set(read, [...(result.get(read) ?? []), each.name]);
  return result;
}

function reach(start: string[], next: Map<string, string[]>, result: Set<string>): void {
  const visited = new Set(start);
  const waiting = [...start];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const other of next.get(name) ?? []) {
      if (visited.has(other)) continue;
      visited.add(other);
      result.add(other);
      waiting.push(other);
    }
  }
}

// Without helpers (readers read what the helper reads) above 40 nodes, and without quarantine tables.
export function contracted(nodes: Node[], withHelpers: boolean, withQuarantine: boolean): Node[] {
  const hidden = new Map(
    nodes
      .filter((each) => (!withHelpers && isHelper(each)) || (!withQuarantine && each.short.includes("quarantine")))
      .map((each) => [each.name, each]),
  );
  const through = (name: string, path: string[]): string[] => {
    const view = hidden.get(name);
    if (!view) return [name];
    return path.includes(name) ? [] : view.reads.flatMap((read) => through(read, [...path, name]));
  };
  return nodes
    .filter((each) => !hidden.has(each.name))
    .map((each) => ({ ...each, reads: [...new Set(each.reads.flatMap((read) => through(read, [])))] }));
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
