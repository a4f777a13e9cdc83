// Bundles the application into dist/, and what Node runs into build/.

import { cp, readFile, readdir, rm, writeFile } from "node:fs/promises";

import { build } from "esbuild";

const shared = { bundle: true, format: "esm", logLevel: "warning", target: "es2022" };

await rm("dist", { recursive: true, force: true });
await cp("public", "dist", { recursive: true });
await cp("../../addon/consometers_node/web/static/icon.svg", "dist/icon.svg");
const { metafile } = await build({
  ...shared,
  entryPoints: { reader: "src/main.ts" },
  outdir: "dist",
  platform: "browser",
  alias: { "node:dns": "./src/no-dns.ts" },
  minify: true,
  legalComments: "none",
  metafile: true,
});
await writeFile("dist/licenses.txt", await licenses(Object.keys(metafile.inputs)));

await rm("build", { recursive: true, force: true });
const tests = (await readdir("tests")).filter((name) => name.endsWith(".test.ts"));
await build({
  ...shared,
  entryPoints: {
    witness: "src/protected-sums/main.ts",
    ...Object.fromEntries(tests.map((name) => [`tests/${name.slice(0, -3)}`, `tests/${name}`])),
  },
  outdir: "build",
  platform: "node",
  packages: "external",
});

/** Return the licences of the libraries among these files. */
async function licenses(files) {
  const names = files.map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]);
  const texts = [...new Set(names)].filter(Boolean).toSorted().map(async (name) => {
    const { license } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
    const text = await readFile(`node_modules/${name}/LICENSE`, "utf8").catch(() => "");
    return `${name} (${license})\n\n${text}\n`;
  });
  return (await Promise.all(texts)).join("\n");
}
