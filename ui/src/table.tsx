// The facts of the graph as a table that sorts by each column.
import { signal } from "@preact/signals";
import { count, duration, kindName, sign, word, type Node } from "./model";
import { before, changed, matches, nodes, selected } from "./state";

type Column = [heading: string, value: (node: Node) => string | number, text: (node: Node) => string];
const COLUMNS: Column[] = [
  ["Dataset", (node) => node.short, (node) => node.short],
  ["State", (node) => node.status, (node) => (node.dataset ? `${sign(node.status)} ${word(node.status)}` : "")],
  ["Written", (node) => node.written, (node) => count(node.written)],
  ["Before", (node) => before(node) ?? -1, (node) => (before(node) === null ? "" : `${count(before(node) ?? 0)} ${changed(node)}`)],
  ["Deleted", (node) => node.deleted, (node) => count(node.deleted)],
  ["Dropped", (node) => node.dropped, (node) => count(node.dropped)],
  ["Broken rules", (node) => node.broken, (node) => (node.broken ? `⚑ ${node.broken}` : "0")],
  ["Time", (node) => node.seconds ?? -1, (node) => duration(node.seconds)],
  ["Kind", (node) => node.kind, (node) => kindName(node.kind)],
  ["Why", (node) => node.why, (node) => node.why],
];
const order = signal({ column: -1, up: true });

export function Table() {
  const { column, up } = order.value;
  const lines = nodes.filter((node) => matches.value.has(node.name));
  if (column >= 0) lines.sort((a, b) => compare(COLUMNS[column][1](a), COLUMNS[column][1](b)) * (up ? 1 : -1));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Datasets">
      <table>
        <thead>
          <tr>
            {COLUMNS.map(([heading], place) => (
              <th scope="col" aria-sort={place === column ? (up ? "ascending" : "descending") : "none"}>
                <button onClick={() => (order.value = { column: place, up: place === column ? !up : true })}>
                  {heading}{place === column ? (up ? " ↑" : " ↓") : ""}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((node) => (
            <tr class={word(node.status)}>
              {COLUMNS.map(([, value, text], place) => place === 0
                ? <th scope="row"><button onClick={() => (selected.value = node.name)}>{text(node)}</button></th>
                : <td class={typeof value(node) === "number" ? "number" : COLUMNS[place][0] === "Why" ? "why" : ""}>{text(node)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function compare(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}
