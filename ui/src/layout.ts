// Places of nodes and edges: ranks and order by dagre, then each column closed up to fit the screen.
import { Graph, layout } from "@dagrejs/dagre";
import type { Node } from "./model";

export const WIDTH = 188;
export const HEIGHT = 34;
const GAP = 5; // between nodes of a column
const EDGE_GAP = 2; // between edges that pass through a column
const MARGIN = 6;
const ROOT = " "; // no dataset is called so
const ROOT_SPACE = 30; // left of the sources, where the root is
const LARGE = 160; // nodes; above it ranks need not be the best: 300 nodes take 0.2 to 0.8 s instead of 2 s
const BUSY = 40; // nodes; above it only edges that no longer path implies are placed

export interface Point { x: number; y: number }
export interface Edge { from: Node; to: Node; points: Point[] }
export interface Picture { width: number; height: number; at: Map<string, Point>; edges: Edge[]; implied: [Node, Node][] }
interface Item { point: Point; half: number }

// The picture is as high as `heightFor` its width, if its fullest column allows that.
export function placed(nodes: Node[], heightFor: (width: number) => number): Picture {
  const byName = new Map(nodes.map((each) => [each.name, each]));
  const pairs = nodes.flatMap((to) => to.reads.filter((read) => byName.has(read)).map((read): [Node, Node] => [byName.get(read) as Node, to]));
  const isImplied = nodes.length > BUSY ? impliedIn(pairs) : () => false;
  const graph = arranged(nodes, pairs.filter((pair) => !isImplied(pair)));
  const at = new Map(nodes.map(({ name }) => [name, point(graph.node(name) as Point)]));
  const columns = new Set([...at.values()].map(({ x }) => x));
  const edges = graph.edges().filter(({ v }) => v !== ROOT).map(({ v, w }) => ({
    from: byName.get(v) as Node, to: byName.get(w) as Node,
    points: (graph.edge(v, w) as { points: Point[] }).points.slice(1, -1).map(point).filter(({ x }) => columns.has(x)),
  }));
  const items = [...at.values()].map((each) => ({ point: each, half: HEIGHT / 2 }));
  items.push(...edges.flatMap((edge) => edge.points.map((each) => ({ point: each, half: 0 }))));
  const width = Math.max(...[...at.values()].map(({ x }) => x)) + WIDTH / 2 + MARGIN;
  closeUp(items, heightFor(width));
  for (const edge of edges) edge.points = withEnds(at, edge);
  const highest = Math.max(...items.map((each) => each.point.y + each.half));
  return { width, height: highest + MARGIN, at, edges, implied: pairs.filter(isImplied) };
}

const point = ({ x, y }: Point): Point => ({ x: Math.round(x - ROOT_SPACE), y });

function arranged(nodes: Node[], pairs: [Node, Node][]): Graph {
  const graph = new Graph();
  const ranker = nodes.length > LARGE ? "tight-tree" : "network-simplex";
  graph.setGraph({ ranker, rankdir: "LR", nodesep: GAP, edgesep: 1, ranksep: 26, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const each of nodes) graph.setNode(each.name, { width: WIDTH, height: HEIGHT });
  for (const [from, to] of pairs) graph.setEdge(from.name, to.name);
  // A common ancestor of all sources keeps them in one column, whatever they are read by.
  graph.setNode(ROOT, { width: 0, height: 0 });
  const fed = new Set(pairs.map(([, to]) => to.name));
  for (const each of nodes) if (!fed.has(each.name)) graph.setEdge(ROOT, each.name, { weight: 100 });
  layout(graph);
  return graph;
}

// Whether another path leads from the one node to the other.
function impliedIn(pairs: [Node, Node][]): (pair: [Node, Node]) => boolean {
  const reads = new Map<string, string[]>();
  for (const [from, to] of pairs) reads.set(to.name, [...(reads.get(to.name) ?? []), from.name]);
  const ancestors = new Map<string, Set<string>>();
  const above = (name: string): Set<string> => {
    let result = ancestors.get(name);
    if (!result) {
      ancestors.set(name, (result = new Set()));
      for (const read of reads.get(name) ?? []) for (const each of [read, ...above(read)]) result.add(each);
    }
    return result;
  };
  return ([from, to]) => (reads.get(to.name) ?? []).some((read) => read !== from.name && above(read).has(from.name));
}

// Scales to `height`, then moves the items of each column apart where they meet.
function closeUp(items: Item[], height: number): void {
  const highest = Math.max(...items.map(({ point, half }) => point.y + half));
  const scale = Math.min(1, height / highest);
  for (const x of new Set(items.map(({ point }) => point.x))) {
    const column = items.filter(({ point }) => point.x === x);
    column.sort((a, b) => a.point.y - b.point.y);
    for (const { point } of column) point.y *= scale;
    spread(column, height);
  }
}

function spread(column: Item[], height: number): void {
  let free = MARGIN;
  for (const each of column) {
    each.point.y = Math.max(each.point.y, free + each.half);
    free = each.point.y + each.half + gap(each);
  }
  const needed = column.reduce((total, each) => total + 2 * each.half + gap(each), MARGIN);
  free = Math.max(height, needed);
  for (const each of [...column].reverse()) {
    each.point.y = Math.min(each.point.y, free - each.half);
    free = each.point.y - each.half - gap(each);
  }
}

const gap = ({ half }: Item): number => (half ? GAP : EDGE_GAP);

function withEnds(at: Map<string, Point>, { from, to, points }: Edge): Point[] {
  const [start, end] = [at.get(from.name) as Point, at.get(to.name) as Point];
  const across = points.flatMap(({ x, y }) => [{ x: x - WIDTH / 2, y }, { x: x + WIDTH / 2, y }]);
  return [{ x: start.x + WIDTH / 2, y: start.y }, ...across, { x: end.x - WIDTH / 2, y: end.y }];
}
