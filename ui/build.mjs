// Bundles each page of src/ into its folder (or into a folder below the one given), with the licences of what it holds.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const PAGES = [
  { name: "report", entry: "src/main.tsx", styles: ["src/report.css"], folder: "local_shim/report/static" },
  {
    name: "pictures", entry: "src/pictures/main.tsx", styles: ["src/report.css", "src/pictures/pictures.css"],
    folder: "demo/pictures/static",
  },
];
for (const page of PAGES) await bundle(page, join(process.argv[2] ?? join(here, ".."), page.folder));

async function bundle({ name, entry, styles }, out) {
  await mkdir(out, { recursive: true });
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    outfile: join(out, `${name}.js`),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2020",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "utf8",
    metafile: true,
  });
  const texts = await Promise.all(styles.map((file) => readFile(join(here, file), "utf8")));
  await writeFile(join(out, `${name}.css`), texts.join(""));
  const inputs = Object.values(result.metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
  await writeFile(join(out, "LICENSES.txt"), await licences(used));
}

async function licences(inputs) {
  const packages = new Set();
  for (const file of inputs) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file);
    if (match) packages.add(match[1]);
  }
  const parts = [];
  for (const name of [...packages].sort()) {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const text = await readFile(join(folder, "LICENSE"), "utf8");
    parts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return parts.join("\n" + "-".repeat(80) + "\n\n");
}
