// Groups of datasets: by schema, else by folder of the source file, else by the name up to its first underscore.
import type { Dataset } from "./document";

const SMALLEST = 3;
const LAYERS = ["bronze", "silver", "gold"];

export function grouping(datasets: Dataset[]): (name: string) => string {
  const names = datasets.map((each) => each.name);
  if (new Set(names.map(schema)).size > 1) return schema;
  const folders = folderOf(new Map(datasets.map((each) => [each.name, each.source?.file ?? ""])));
  if (new Set(folders.values()).size > 1) return (name) => folders.get(name) ?? "other";
  const sizes = new Map<string, number>();
  for (const name of names) sizes.set(prefix(name), (sizes.get(prefix(name)) ?? 0) + 1);
  const isShared = (name: string): boolean => LAYERS.includes(prefix(name)) || (sizes.get(prefix(name)) ?? 0) >= SMALLEST;
  return (name) => (isShared(name) ? prefix(name) : "other");
}

const schema = (name: string): string => name.split(".").slice(0, -1).pop() ?? "";
const prefix = (name: string): string => (name.split(".").pop() ?? name).split("_")[0];

// How many folders, from the left, all files share.
export function sharedFolders(files: string[]): number {
  const paths = files.map((file) => file.split("/").slice(0, -1));
  const shortest = Math.min(...paths.map((path) => path.length));
  let depth = 0;
  while (paths.length && depth < shortest && paths.every((path) => path[depth] === paths[0][depth])) depth += 1;
  return depth;
}

// The first folder in which the paths differ.
function folderOf(files: Map<string, string>): Map<string, string> {
  const place = sharedFolders([...files.values()]);
  return new Map([...files].map(([name, file]) => [name, file.split("/").slice(0, -1)[place] ?? "other"]));
}
