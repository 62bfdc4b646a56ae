// The facts of the graph as a table that sorts by each column.
import { signal } from "@preact/signals";
import { count, duration, isView, kindName, sign, word, type Node } from "./model";
import { before, changed, compared, matches, nodes, selected } from "./state";

type Column = [heading: string, value: (node: Node) => string | number, text: (node: Node) => string];
const COLUMNS: Column[] = [
  ["Dataset", (node) => node.short, (node) => node.short],
  ["State", (node) => node.status, (node) => (node.dataset && !isView(node) ? `${sign(node.status)} ${word(node.status)}` : "")],
  ["Written", (node) => node.written, (node) => counts(node, node.written)],
  ["Before", (node) => before(node) ?? -1, (node) => (before(node) === null ? "" : `${count(before(node) ?? 0)} ${changed(node)}`)],
  ["Deleted", (node) => node.deleted, (node) => counts(node, node.deleted)],
  ["Dropped", (node) => node.dropped, (node) => counts(node, node.dropped)],
  ["Broken rules", (node) => node.broken, (node) => (node.broken ? `⚑ ${node.broken}` : counts(node, 0))],
  ["Time", (node) => node.seconds ?? -1, (node) => duration(node.seconds)],
  ["Kind", (node) => node.kind, (node) => kindName(node.kind)],
  ["Why", (node) => node.why, (node) => node.why],
];
const counts = (node: Node, value: number): string => (node.dataset && !isView(node) ? count(value) : "");
const own = nodes.filter((node) => node.dataset);
const outside = nodes.filter((node) => !node.dataset);
const order = signal({ column: -1, up: true });

export function Table() {
  const { column, up } = order.value;
  const lines = [...own, ...outside].filter((node) => matches.value.has(node.name));
  if (column >= 0) lines.sort((a, b) => compare(COLUMNS[column][1](a), COLUMNS[column][1](b)) * (up ? 1 : -1));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Datasets">
      <table>
        <thead>
          <tr>
            {COLUMNS.map(([heading], place) => (
              <th scope="col" title={heading === "Before" ? `rows written in update ${compared.value.slice(0, 8)}` : undefined} aria-sort={place === column ? (up ? "ascending" : "descending") : "none"}>
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
                ? <th scope="row"><button onClick={() => (selected.value = node.name)}>{breakable(node.short)}</button></th>
                : <td class={style(COLUMNS[place][0], value(node))}>{text(node)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// A narrow column breaks a name after an underscore.
const breakable = (name: string) => name.split(/(?<=_)/).map((part) => <>{part}<wbr /></>);

function style(heading: string, value: string | number): string {
  if (typeof value === "number") return value === 0 ? "number zero" : heading === "Broken rules" ? "number broken" : "number";
  return heading === "Why" ? "why" : heading === "State" ? "state" : "";
}

function compare(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}
