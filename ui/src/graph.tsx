// The graph as SVG: placed by dagre from left to right, coloured by group, without clusters.
import { Graph as Layout, layout } from "@dagrejs/dagre";
import { computed, signal } from "@preact/signals";
import { change, count, isView, kin, sentence, sign, word, type Node } from "./model";
import { drawn, selected } from "./state";

const WIDTH = 188;
const HEIGHT = 34;
const HEADING = 22;
const ROOT = " "; // no dataset is called so
const ROOT_SPACE = 30; // left of the sources, where the root is
const SQUEEZED = { textLength: WIDTH - 14, lengthAdjust: "spacingAndGlyphs" }; // names that may not fit
const hovered = signal("");
const zoom = signal(0); // 0: as wide as the page

interface Edge { from: Node; to: Node; path: string }
interface Picture { width: number; height: number; at: Map<string, { x: number; y: number }>; edges: Edge[] }

const picture = computed<Picture>(() => {
  const graph = new Layout();
  graph.setGraph({ rankdir: "LR", nodesep: 5, edgesep: 1, ranksep: 26, marginx: 6, marginy: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  const byName = new Map(drawn.value.map((each) => [each.name, each]));
  for (const each of drawn.value) graph.setNode(each.name, { width: WIDTH, height: HEIGHT });
  for (const each of drawn.value) {
    for (const read of each.reads) if (byName.has(read)) graph.setEdge(read, each.name);
  }
  // A common ancestor of all sources keeps them in one column, whatever they are read by.
  graph.setNode(ROOT, { width: 0, height: 0 });
  for (const each of drawn.value) {
    if (!each.reads.some((read) => byName.has(read))) graph.setEdge(ROOT, each.name, { weight: 100 });
  }
  layout(graph);
  const at = new Map(drawn.value.map((each) => [each.name, graph.node(each.name) as { x: number; y: number }]));
  const edges = graph.edges().filter(({ v }) => v !== ROOT).map(({ v, w }) => {
    const points = (graph.edge(v, w) as { points: { x: number; y: number }[] }).points;
    return { from: byName.get(v) as Node, to: byName.get(w) as Node, path: curve(points) };
  });
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { width, height, at, edges };
});

function curve(points: { x: number; y: number }[]): string {
  return points.reduce((path, { x, y }, place) => {
    if (place === 0) return `M${x} ${y}`;
    const middle = (points[place - 1].x + x) / 2;
    return `${path}C${middle} ${points[place - 1].y} ${middle} ${y} ${x} ${y}`;
  }, "");
}

export function Graph() {
  const { width, height, at, edges } = picture.value;
  const lit = hovered.value ? kin(drawn.value, hovered.value) : null;
  if (!drawn.value.length) return <p>No dataset matches the search.</p>;
  return (
    <div class="graph">
      <div class="tools">
        <button onClick={() => (zoom.value = 0)}>Fit</button>
        <button aria-label="Zoom in" onClick={() => (zoom.value = (zoom.value || 1) * 1.25)}>+</button>
        <button aria-label="Zoom out" onClick={() => (zoom.value = (zoom.value || 1) / 1.25)}>−</button>
      </div>
      <div class="canvas" tabIndex={0} role="region" aria-label="Graph of the pipeline">
        <svg
          role="group" aria-label="Datasets, in the order of their data" viewBox={`${ROOT_SPACE - 4} 0 ${width - ROOT_SPACE + 4} ${height + HEADING}`}
          style={zoom.value ? { width: `${width * zoom.value}px` } : { width: "100%", maxWidth: `${width * 1.3}px` }}
        >
          {headings(at).map(([group, x]) => <text class="heading" x={x} y={15}>{group}</text>)}
          <g transform={`translate(0 ${HEADING})`}>
            {edges.map((edge) => <path class={edgeClass(edge, lit)} d={edge.path} />)}
            {drawn.value.map((each) => <Box node={each} {...(at.get(each.name) as { x: number; y: number })} dim={!!lit && !lit.has(each.name)} />)}
          </g>
        </svg>
      </div>
    </div>
  );
}

function edgeClass({ from, to }: Edge, lit: Set<string> | null): string {
  const failed = ["FAILED", "SKIPPED"].includes(from.status) && to.status === "SKIPPED";
  return `edge${failed ? " failed" : ""}${lit && !(lit.has(from.name) && lit.has(to.name)) ? " dim" : ""}`;
}

function Box({ node, x, y, dim }: { node: Node; x: number; y: number; dim: boolean }) {
  const open = () => (selected.value = node.name);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); }
    if (event.key.startsWith("Arrow")) { event.preventDefault(); move(node, event.key); }
  };
  const chosen = selected.value === node.name;
  const first = drawn.value[0].name;
  const entry = drawn.value.some((each) => each.name === selected.value) ? selected.value : first;
  return (
    <g
      class={`node ${colour(node.group)} ${word(node.status)}${chosen ? " chosen" : ""}${dim ? " dim" : ""}`}
      transform={`translate(${x - WIDTH / 2} ${y - HEIGHT / 2})`} role="button" tabindex={node.name === entry ? 0 : -1}
      aria-label={spoken(node)} aria-pressed={chosen} data-name={node.name} onClick={open} onKeyDown={onKeyDown}
      onMouseEnter={() => (hovered.value = node.name)} onMouseLeave={() => (hovered.value = "")}
    >
      <rect width={WIDTH} height={HEIGHT} rx={node.kind === "STREAMING_TABLE" ? 12 : 3} />
      <text class="name" x={8} y={14} {...(label(node).length > 21 ? SQUEEZED : {})}>{label(node)}</text>
      <text class="facts" x={8} y={28}>{facts(node)}</text>
      {node.broken > 0 && <text class="flag" x={WIDTH - 8} y={28}>{`⚑ ${node.broken}`}</text>}
    </g>
  );
}

const label = (node: Node): string => (node.short.length > 26 ? `${node.short.slice(0, 25)}…` : node.short);

// What is written in the box comes first: speech control finds a button by the text it shows.
const spoken = (node: Node): string =>
  `${label(node)} ${facts(node)} ${node.broken ? `⚑ ${node.broken}` : ""}: ${sentence(node)}`;

function facts(node: Node): string {
  if (!node.dataset) return "⌂ outside";
  if (isView(node)) return "◇ view";
  const state = `${sign(node.status)} ${node.status === "COMPLETED" ? "" : word(node.status)}`.trim();
  const rows = node.status === "COMPLETED" ? ` ${count(node.written)} rows ${change(node)}` : "";
  return `${state}${rows}`.trim();
}

function move(from: Node, key: string): void {
  const places = picture.value.at;
  const here = places.get(from.name) as { x: number; y: number };
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  const forward = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const cost = ({ x, y }: { x: number; y: number }): number => {
    const along = (sideways ? x - here.x : y - here.y) * forward;
    return along > 1 ? along + 3 * Math.abs(sideways ? y - here.y : x - here.x) : Infinity;
  };
  const best = [...places].map(([name, place]) => ({ name, cost: cost(place) })).sort((a, b) => a.cost - b.cost)[0];
  if (best.cost < Infinity) document.querySelector<SVGElement>(`[data-name="${CSS.escape(best.name)}"]`)?.focus();
}

// Each group's name stands above the column that holds most of the group.
function headings(at: Map<string, { x: number; y: number }>): [string, number][] {
  const sizes = new Map<string, Map<number, number>>();
  for (const each of drawn.value) {
    const x = (at.get(each.name)?.x ?? 0) - WIDTH / 2;
    const columns = sizes.get(each.group) ?? new Map<number, number>();
    sizes.set(each.group, columns.set(x, (columns.get(x) ?? 0) + 1));
  }
  const groups = new Map<number, string[]>();
  for (const [group, columns] of sizes) {
    const [x] = [...columns].reduce((most, column) => (column[1] > most[1] ? column : most));
    groups.set(x, [...(groups.get(x) ?? []), group]);
  }
  return [...groups].map(([x, names]) => [names.join(" · "), x]);
}

const COLOURS = ["bronze", "silver", "gold", "outside"];
const colour = (group: string): string => (COLOURS.includes(group) ? group : "other");
