// The other places of the page: one dataset, what failed, rules, flows over time, earlier updates.
import { count, duration, kindName, sign, word, type Node } from "./model";
import { before, compared, doc, nodes, selected, selectedNode } from "./state";

export function Failures() {
  const failed = doc.flows.filter((flow) => flow.error);
  if (!failed.length && !(doc.update.state === "FAILED" && doc.update.error)) return null;
  return (
    <section class="failures" role="alert" aria-label="Failures">
      {!failed.length && <p>{doc.update.error}</p>}
      {failed.map((flow) => {
        const skipped = doc.flows.filter((each) => each.skipped_because.includes(flow.name));
        const [first, ...rest] = (flow.error?.message ?? "").split("\n");
        return (
          <article>
            <h2>✗ <button onClick={() => (selected.value = flow.target)}>{flow.name}</button></h2>
            <p class="cause">{first}</p>
            {flow.source && <p class="place">{flow.source.file}:{flow.source.line}</p>}
            {skipped.length > 0 && <p>⊘ Skipped because of it: {skipped.map((each) => each.name.split(".").pop()).join(", ")}</p>}
            {rest.join("").trim() && <details><summary>Details</summary><pre>{rest.join("\n")}</pre></details>}
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
      {node.dataset?.source && <p class="place">{node.dataset.source.file}:{node.dataset.source.line}</p>}
      {node.flows.filter((flow) => flow.error).map((flow) => <pre class="cause">{flow.error?.message}</pre>)}
      <Links heading="Reads" names={node.reads} />
      <Links heading="Read by" names={nodes.filter((each) => each.reads.includes(node.name)).map((each) => each.name)} />
      {node.dataset?.rows && <Rows {...node.dataset.rows} />}
      {!!node.dataset?.rules.length && <><h3>Rules</h3><ul>{node.dataset.rules.map((rule) => <li><b>{rule.name}</b> {rule.action.toLowerCase()} <code>{rule.constraint}</code></li>)}</ul></>}
      {!!node.dataset?.columns.length && <><h3>Columns</h3><ul class="columns">{node.dataset.columns.map((column) => <li><b>{column.name}</b> <code>{column.type}</code></li>)}</ul></>}
    </aside>
  );
}

function State(node: Node) {
  const rows = before(node);
  const earlier = rows === null ? "" : ` (${count(rows)} in update ${compared.value.slice(0, 8)})`;
  return (
    <>
      <p>{kindName(node.kind)} · {sign(node.status)} {word(node.status)} {duration(node.seconds)}</p>
      <p>{count(node.written)} written{earlier}, {count(node.deleted)} deleted, {count(node.dropped)} dropped</p>
    </>
  );
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

export function Rules() {
  const lines = nodes.flatMap((node) => node.rules).sort((a, b) => b.failed - a.failed);
  if (!lines.length) return <p>No rule was checked in this update.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Rules">
      <table>
        <thead><tr>{["Rule", "Dataset", "Passed", "Failed", "Failed before (oldest first)"].map((each) => <th scope="col" class={/ed$/.test(each) ? "number" : ""}>{each}</th>)}</tr></thead>
        <tbody>
          {lines.map((rule) => (
            <tr class={rule.failed ? "broken" : ""}>
              <th scope="row">{rule.failed ? "⚑ " : ""}{rule.name}</th>
              <td>{rule.dataset.split(".").pop()}</td>
              <td class="number">{count(rule.passed)}</td>
              <td class="number">{count(rule.failed)}</td>
              <td>{doc.history.map((past) => past.failed_checks[`${rule.dataset}/${rule.name}`] ?? "–").join("  ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Time() {
  const flows = doc.flows.filter((flow) => flow.started && flow.ended);
  if (!flows.length) return <p>No flow has ended.</p>;
  const start = Math.min(...flows.map((flow) => Date.parse(flow.started as string)));
  const end = Math.max(...flows.map((flow) => Date.parse(flow.ended as string)), start + 1);
  const percent = (time: string): number => ((Date.parse(time) - start) / (end - start)) * 100;
  flows.sort((a, b) => percent(a.started as string) - percent(b.started as string));
  return (
    <ol class="time" aria-label="Flows over time">
      {flows.map((flow) => {
        const left = percent(flow.started as string);
        const width = Math.max(0.3, percent(flow.ended as string) - left);
        return (
          <li>
            <span>{flow.name.split(".").pop()}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect class={word(flow.status)} x={Math.min(left, 99.7)} width={width} height={10} />
            </svg>
            <span class="number">{duration(flow.seconds)}</span>
          </li>
        );
      })}
    </ol>
  );
}

export function History() {
  const rows = doc.flows.reduce((total, flow) => total + flow.rows + flow.upserted, 0);
  const { id, state, started, seconds } = doc.update;
  const updates = [...doc.history, { update: id, state, started, seconds, rows }].reverse();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Updates">
      <table>
        <thead><tr>{["Update", "State", "Started", "Time", "Rows", "Compare with"].map((each) => <th scope="col">{each}</th>)}</tr></thead>
        <tbody>
          {updates.map((past) => (
            <tr class={word(past.state)}>
              <th scope="row">{past.update.slice(0, 8)}</th>
              <td>{sign(past.state)} {word(past.state)}</td>
              <td>{past.started && <time title={past.started}>{new Date(past.started).toLocaleString()}</time>}</td>
              <td class="number">{duration(past.seconds)}</td>
              <td class="number">{count(past.rows)}</td>
              <td>{past.update !== id && <input
                type="radio" name="compared" aria-label={`Compare with update ${past.update.slice(0, 8)}`}
                checked={compared.value === past.update} onChange={() => (compared.value = past.update)}
              />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
