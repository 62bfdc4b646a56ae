// The document, and what the reader chose to see; the choice is kept in the address.
import { computed, effect, signal } from "@preact/signals";
import type { UpdateDocument } from "./document";
import { change, contracted, isStream, nodesOf, search, writtenIn, type Node } from "./model";

const text = document.getElementById("document")?.textContent ?? "{}";
export const doc = JSON.parse(text) as UpdateDocument;
export const nodes: Node[] = nodesOf(doc);
export const groups = [...new Set(nodes.map((node) => node.group))];
const HISTORY = 20; // updates that a document holds at most

const address = new URLSearchParams(location.hash.slice(1));
const narrow = matchMedia("(max-width: 640px)").matches;
export const place = signal(address.get("place") ?? (narrow ? "table" : "graph"));
export const query = signal(address.get("search") ?? "");
export const selected = signal(address.get("dataset") ?? "");
export const helpers = signal((address.get("helpers") ?? (nodes.length > 40 ? "no" : "yes")) === "yes");
export const quarantine = signal(address.get("quarantine") === "yes");

// The earlier update that rows are compared with: the last completed one, or the one chosen in the history.
const completed = doc.history.filter((past) => past.state === "COMPLETED");
export const compared = signal(address.get("with") ?? completed[completed.length - 1]?.update ?? "");
export const past = computed(() => doc.history.find((each) => each.update === compared.value));
export const before = (node: Node): number | null => writtenIn(past.value, node);
// The first update of a stream reads everything there is: fewer rows after it are no change.
const first = doc.history.length < HISTORY ? doc.history[0]?.update : "";
export function changed(node: Node): string {
  const sign = change(node.written, before(node));
  return sign === "▼" && isStream(node) && compared.value === first ? "" : sign;
}

export const matches = computed(() => search(nodes, query.value));
export const drawn = computed(() => {
  const all = contracted(nodes, helpers.value, quarantine.value);
  return query.value ? all.filter((each) => matches.value.has(each.name)) : all;
});
export const zoom = signal(0); // 0: the whole graph
const size = signal({ width: innerWidth, height: innerHeight });
addEventListener("resize", () => (size.value = { width: innerWidth, height: innerHeight }));
export const top = signal(0); // of the graph
const BELOW = 70; // the notes below the graph
const LOWEST = 400; // a graph below many failures may need scrolling
export const screen = computed(() => ({
  width: size.value.width - 34, height: Math.max(LOWEST, size.value.height - top.value - BELOW),
}));
const PANEL = 332;
export const room = computed(() => screen.value.width - (selected.value && screen.value.width > 726 ? PANEL : 0));
export const selectedNode = computed(() => nodes.find((each) => each.name === selected.value));

effect(() => {
  const now = new URLSearchParams({ place: place.value, search: query.value, dataset: selected.value, with: compared.value });
  now.set("helpers", helpers.value ? "yes" : "no");
  now.set("quarantine", quarantine.value ? "yes" : "no");
  history.replaceState(null, "", `#${now}`);
});
