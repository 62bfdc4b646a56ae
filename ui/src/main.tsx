// The page: heading, failures, one of five places, and the panel of the selected dataset.
import { render, type ComponentType } from "preact";
import { Graph } from "./graph";
import { count, duration, sign, word } from "./model";
import { Failures, History, Panel, Rules, Time } from "./panels";
import { doc, helpers, nodes, place, quarantine, query, selected, zoom } from "./state";
import { Table } from "./table";

const PLACES: Record<string, ComponentType> = { graph: Graph, table: Table, rules: Rules, time: Time, history: History };

function Heading() {
  const states = new Map<string, number>();
  for (const flow of doc.flows) if (flow.status) states.set(flow.status, (states.get(flow.status) ?? 0) + 1);
  const rules = nodes.flatMap((node) => node.rules);
  const written = nodes.reduce((total, node) => total + node.written, 0);
  const dropped = nodes.reduce((total, node) => total + node.dropped, 0);
  return (
    <header>
      <h1>{doc.pipeline.name}</h1>
      <p>
        <strong class={`state ${word(doc.update.state)}`}>{sign(doc.update.state)} {word(doc.update.state)}</strong> update {doc.update.id.slice(0, 8)}
        {" · "}{duration(doc.update.seconds)}
        {doc.update.started && <> · <time title={doc.update.started}>{new Date(doc.update.started).toLocaleString()}</time></>}
      </p>
      <p class="counts">
        {[...states].map(([status, flows]) => <span class={word(status)}>{sign(status)} {flows} {word(status)}</span>)}
        <span>{count(written)} rows written</span>
        <span>{count(dropped)} dropped</span>
        <span>{rules.length} {rules.length === 1 ? "rule" : "rules"} checked, {rules.filter((rule) => rule.failed).length} broken</span>
      </p>
    </header>
  );
}

function Controls() {
  return (
    <nav aria-label="Views">
      {Object.keys(PLACES).map((name) => (
        <button aria-pressed={place.value === name} onClick={() => (place.value = name)}>{name[0].toUpperCase() + name.slice(1)}</button>
      ))}
      <input
        id="search" type="search" aria-label="Search datasets: name, +name, name+" placeholder="Search: name, +name, name+"
        value={query.value} onInput={(event) => (query.value = event.currentTarget.value)}
      />
      {place.value === "graph" && <>
        <label><input type="checkbox" checked={helpers.value} onChange={() => (helpers.value = !helpers.value)} /> views, private tables, files</label>
        <label><input type="checkbox" checked={quarantine.value} onChange={() => (quarantine.value = !quarantine.value)} /> quarantine</label>
        <span class="zoom">
          <button onClick={() => (zoom.value = 0)}>Fit</button>
          <button aria-label="Zoom in" onClick={() => (zoom.value = (zoom.value || 1) * 1.25)}>+</button>
          <button aria-label="Zoom out" onClick={() => (zoom.value = (zoom.value || 1) / 1.25)}>−</button>
        </span>
      </>}
    </nav>
  );
}

function Page() {
  const Place = PLACES[place.value] ?? Graph;
  return (
    <>
      <Heading />
      <Failures />
      {doc.warnings.length > 0 && <details class="warnings"><summary>{doc.warnings.length} warnings</summary><ul>{doc.warnings.map((text) => <li>{text}</li>)}</ul></details>}
      <Controls />
      <main class={selected.value ? "split" : ""}><div><Place /></div><Panel /></main>
    </>
  );
}

const KEYS: Record<string, () => void> = {
  "/": () => document.getElementById("search")?.focus(),
  t: () => (place.value = place.value === "table" ? "graph" : "table"),
  Escape: () => (selected.value = ""),
};

document.addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
  if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
});
render(<Page />, document.getElementById("app") as HTMLElement);
