// The graph as SVG, from left to right, coloured by group.
import { computed, signal } from "@preact/signals";
import { HEIGHT, placed, WIDTH, type Edge, type Point } from "./layout";
import { count, counted, failedPath, isStream, isUpToDate, isView, kin, sentence, sign, word, type Node } from "./model";
import { changed, compared, drawn, groups, nodes, room, screen, selected, top, zoom } from "./state";

const HEADING = 22;
const SMALLEST = 0.72; // scale at which the smallest text is still 8 px high
const LARGEST = 1.3;
const SQUEEZED = { textLength: WIDTH - 14, lengthAdjust: "spacingAndGlyphs" }; // names that may not fit
const hovered = signal("");

const picture = computed(() => {
  const { width, height } = screen.value;
  return placed(drawn.value, (wide) => height / legible(width / wide) - HEADING);
});
const scale = computed(() => {
  if (zoom.value) return zoom.value;
  const { width, height } = picture.value;
  return legible(Math.min(room.value / width, screen.value.height / (height + HEADING)));
});
const broken = computed(() => failedPath(drawn.value));
const legible = (wanted: number): number => Math.min(LARGEST, Math.max(SMALLEST, wanted));

function curve(points: Point[]): string {
  return points.reduce((path, { x, y }, place) => {
    if (place === 0) return `M${x} ${y}`;
    const middle = (points[place - 1].x + x) / 2;
    return `${path}C${middle} ${points[place - 1].y} ${middle} ${y} ${x} ${y}`;
  }, "");
}

export function Graph() {
  if (!drawn.value.length) return <p>{nodes.length ? "No dataset matches the search." : "The update has not planned its datasets."}</p>;
  const { width, height, at, edges, implied } = picture.value;
  const lit = hovered.value ? kin(drawn.value, hovered.value) : null;
  const chosen = hovered.value || selected.value;
  return (
    <div class="graph">
      <div class="canvas" tabIndex={0} role="region" aria-label="Graph of the pipeline" ref={measure}>
        <svg
          role="group" aria-label="Datasets, in the order of their data"
          viewBox={`0 0 ${width} ${height + HEADING}`} width={width * scale.value} height={(height + HEADING) * scale.value}
        >
          {headings(at).map(([group, x]) => (
            <g class={`heading ${colour(group)}`} transform={`translate(${x} 0)`}><rect width={12} height={12} y={4} rx={3} /><text x={17} y={15}>{group}</text></g>
          ))}
          <g transform={`translate(0 ${HEADING})`}>
            {edges.map((edge) => <path class={edgeClass(edge, lit)} d={curve(edge.points)} />)}
            {implied.filter((pair) => pair.some((each) => each.name === chosen)).map(([from, to]) => <path class="edge implied" d={direct(at, from, to)} />)}
            {drawn.value.map((each) => <Box node={each} {...(at.get(each.name) as Point)} dim={!!lit && !lit.has(each.name)} />)}
          </g>
        </svg>
      </div>
      <p class="note">{legend(implied.length)}</p>
    </div>
  );
}

function measure(canvas: HTMLElement | null): void {
  if (canvas) top.value = Math.round(canvas.getBoundingClientRect().top + scrollY);
}

// The signs that are in the picture.
function legend(implied: number): string {
  const parts = drawn.value.some(isStream) ? ["Rounded boxes are streaming tables; + counts the rows added."] : [];
  if (drawn.value.some(changed)) parts.push(`▲ ▼ over 20 % more or fewer rows than in update ${compared.value.slice(0, 8)}.`);
  if (drawn.value.some((node) => node.broken)) parts.push("⚑ broken rules.");
  if (implied) parts.push(`${counted(implied, "edge")} that longer paths imply: choose a dataset.`);
  return parts.join(" ");
}

function direct(at: Map<string, Point>, from: Node, to: Node): string {
  const [start, end] = [at.get(from.name) as Point, at.get(to.name) as Point];
  return curve([{ x: start.x + WIDTH / 2, y: start.y }, { x: end.x - WIDTH / 2, y: end.y }]);
}

function edgeClass({ from, to }: Edge, lit: Set<string> | null): string {
  const failed = broken.value.has(from.name) && broken.value.has(to.name) && to.status !== "FAILED";
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
      <title>{sentence(node)}</title>
      <rect width={WIDTH} height={HEIGHT} rx={isStream(node) ? 12 : 3} />
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
  if (!node.dataset) return node.kind === "PATH" ? "⌂ files" : "⌂ outside";
  if (isView(node)) return "◇ view";
  if (node.status !== "COMPLETED") return `${sign(node.status)} ${word(node.status)}`;
  if (isUpToDate(node)) return `${sign(node.status)} up to date`;
  const deleted = node.deleted ? ` −${count(node.deleted)}` : "";
  const written = isStream(node) ? `+${count(node.written)}${deleted}` : counted(node.written, "row");
  return `${sign(node.status)} ${written} ${changed(node)}`.trim();
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

// Each group's name stands above the first column of which it is the largest part, else above its own largest column.
function headings(at: Map<string, Point>): [group: string, x: number][] {
  if (groups.filter((group) => group !== "outside").length < 2) return [];
  const columns = new Map<number, Map<string, number>>();
  for (const { name, group } of drawn.value) {
    const x = (at.get(name) as Point).x - WIDTH / 2;
    const sizes = columns.get(x) ?? new Map<string, number>();
    columns.set(x, sizes.set(group, (sizes.get(group) ?? 0) + 1));
  }
  const inOrder = [...columns].sort(([a], [b]) => a - b);
  const taken = new Map<number, number>(); // how far each column's headings reach
  return [...new Set(drawn.value.map((each) => each.group))].map((group) => {
    const sizeIn = ([, sizes]: [number, Map<string, number>]): number => sizes.get(group) ?? 0;
    const leads = inOrder.find((column) => sizeIn(column) > 0 && sizeIn(column) === Math.max(...column[1].values()));
    const [x] = leads ?? inOrder.reduce((most, column) => (sizeIn(column) > sizeIn(most) ? column : most));
    const left = taken.get(x) ?? x;
    taken.set(x, left + 17 + LETTER * group.length + 14);
    return [group, left];
  });
}

const LETTER = 8; // of a heading, in pixels
const LAYERS = ["bronze", "silver", "gold", "outside"];
const COLOURS = 6; // of other groups, in report.css
const others = groups.filter((group) => !LAYERS.includes(group));
const colour = (group: string): string => (LAYERS.includes(group) ? group : `group${others.indexOf(group) % COLOURS}`);
