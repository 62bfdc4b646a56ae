// The page: heading, failures, one of five places, and the panel of the selected dataset.
import { render, type ComponentType } from "preact";
import { Graph } from "./graph";
import { BrokenRules, Heading } from "./heading";
import { History } from "./history";
import { counted } from "./model";
import { Failures, Panel } from "./panels";
import { Rules } from "./rules";
import { doc, helpers, place, quarantine, query, selected, zoom } from "./state";
import { Table } from "./table";
import { Time } from "./time";

const PLACES: Record<string, ComponentType> = { graph: Graph, table: Table, rules: Rules, time: Time, history: History };

function Controls() {
  return (
    <nav aria-label="Views">
      {Object.keys(PLACES).map((name) => (
        <button aria-pressed={place.value === name} onClick={() => (place.value = name)}>{name[0].toUpperCase() + name.slice(1)}</button>
      ))}
      {place.value !== "history" && <input
        id="search" type="search" aria-label="Search datasets: name, +name, name+" placeholder="Search: name, +name, name+"
        value={query.value} onInput={(event) => (query.value = event.currentTarget.value)}
      />}
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
      <BrokenRules />
      {doc.warnings.length > 0 && <details class="warnings"><summary>{counted(doc.warnings.length, "warning")}</summary><ul>{doc.warnings.map((text) => <li>{text}</li>)}</ul></details>}
      <Controls />
      <main class={selected.value ? "split" : ""}><div><Place /></div><Panel /></main>
      <footer class="note">Keys: / searches, t changes between table and graph, arrows go along the graph, Enter opens a dataset, Escape closes it.</footer>
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
