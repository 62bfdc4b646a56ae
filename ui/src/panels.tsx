// What failed and what was skipped because of it; and the panel of one dataset.
import type { Source } from "./document";
import { count, counted, duration, isView, kindName, lastPart, sign, word, type Node } from "./model";
import { placeOf } from "./places";
import { actionName } from "./rules";
import { before, compared, doc, nodes, selected, selectedNode } from "./state";

export function Failures() {
  const failed = doc.flows.filter((flow) => flow.error);
  if (!failed.length && !(doc.update.state === "FAILED" && doc.update.error)) return null;
  return (
    <section class="failures" role="alert" aria-label="Failures">
      {!failed.length && <p>{doc.update.error}</p>}
      {failed.map((flow) => {
        const skipped = doc.flows.filter((each) => each.skipped_because.includes(flow.name));
        const [first, ...rest] = (flow.error?.message ?? "").split("\n").filter((line) => !line.startsWith("  at "));
        const isHint = (line: string): boolean => line.startsWith("  hint: ");
        const details = rest.filter((line) => !isHint(line)).join("\n");
        return (
          <article>
            <h2>✗ <button onClick={() => (selected.value = flow.target)}>{flow.name}</button> failed</h2>
            <p class="cause">{first}</p>
            {flow.source && <Place {...flow.source} />}
            {skipped.length > 0 && <p>⊘ Skipped because of it: {skipped.map((each) => lastPart(each.name)).join(", ")}</p>}
            {rest.filter(isHint).map((line) => <p class="cause">{line.replace("  hint:", "Hint:")}</p>)}
            {details.trim() && <details><summary>Details</summary><pre>{details}</pre></details>}
          </article>
        );
      })}
    </section>
  );
}

export function Panel() {
  const node = selectedNode.value;
  if (!node) return null;
  return (
    <aside aria-label={`Dataset ${node.short}`}>
      <button class="close" aria-label="Close" onClick={() => (selected.value = "")}>×</button>
      <h2>{node.short}</h2>
      {node.dataset ? <State {...node} /> : <><p>{kindName(node.kind)}</p><p class="place">{node.name}</p></>}
      {node.why && <p class="why">Why: {node.why}</p>}
      {node.dataset?.comment && <p>{node.dataset.comment}</p>}
      {node.dataset?.source && <Place {...node.dataset.source} />}
      {node.flows.filter((flow) => flow.error).map((flow) => <pre class="cause">{flow.error?.message}</pre>)}
      {node.flows.length > 1 && <><h3>Flows</h3><ul>{node.flows.map((flow) => (
        <li><b>{lastPart(flow.name)}</b> {sign(flow.status)} {word(flow.status)}, {counted(flow.rows + flow.upserted, "row")} {duration(flow.seconds)}</li>
      ))}</ul></>}
      <Links heading="Reads" names={node.reads} />
      <Links heading="Read by" names={nodes.filter((each) => each.reads.includes(node.name)).map((each) => each.name)} />
      {node.dataset?.rows && <Rows {...node.dataset.rows} />}
      {!!node.dataset?.rules.length && <><h3>Rules</h3><ul>{node.dataset.rules.map((rule) => (
        <li><b>{rule.name}</b> ({actionName(rule.action)}): <code>{rule.constraint}</code><br />{checks(node.name, rule.name)}</li>
      ))}</ul></>}
      {!!node.dataset?.columns.length && <><h3>Columns</h3><ul class="columns">{node.dataset.columns.map((column) => <li><b>{column.name}</b> <code>{column.type}</code></li>)}</ul></>}
    </aside>
  );
}

function State(node: Node) {
  if (isView(node)) return <p>view, computed by its readers</p>;
  const rows = before(node);
  return (
    <>
      <p>{kindName(node.kind)} · {sign(node.status)} {word(node.status)} {duration(node.seconds)}</p>
      <p>{counted(node.written, "row")} written{rows !== null && `, ${count(rows)} in update ${compared.value.slice(0, 8)}`}</p>
      {node.deleted > 0 && <p>{counted(node.deleted, "row")} deleted</p>}
      {node.dropped > 0 && <p>{counted(node.dropped, "row")} dropped</p>}
    </>
  );
}

function checks(dataset: string, name: string): string {
  const counts = nodes.flatMap((node) => node.rules).filter((rule) => rule.dataset === dataset && rule.name === name);
  const failed = counts.reduce((total, rule) => total + rule.failed, 0);
  const rows = counted(counts.reduce((total, rule) => total + rule.passed + rule.failed, 0), "row");
  if (!counts.length) return "not checked in this update";
  return failed ? `⚑ ${count(failed)} of ${rows} failed` : `${rows} passed`;
}

function Place(source: Source) {
  return <p class="place"><a href={`vscode://file/${source.file}:${source.line}`} title="Open in VS Code">{placeOf(source).split(/(?<=\/)/).map((part) => <>{part}<wbr /></>)}</a></p>;
}

function Links({ heading, names }: { heading: string; names: string[] }) {
  if (!names.length) return null;
  return <><h3>{heading}</h3><p>{names.map((name) => <button onClick={() => (selected.value = name)}>{nodes.find((each) => each.name === name)?.short ?? name}</button>)}</p></>;
}

function Rows({ columns, cells }: { columns: string[]; cells: (string | null)[][] }) {
  return (
    <>
      <h3>{cells.length ? "First rows when this file was written" : "No rows when this file was written"}</h3>
      {cells.length > 0 && <div class="scroll rows" tabIndex={0} role="region" aria-label="First rows">
        <table>
          <thead><tr>{columns.map((name) => <th scope="col">{name}</th>)}</tr></thead>
          <tbody>{cells.map((row) => <tr>{row.map((cell) => <td>{cell ?? <i>NULL</i>}</td>)}</tr>)}</tbody>
        </table>
      </div>}
    </>
  );
}

