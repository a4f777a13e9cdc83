// Bundles the application into dist/, and what Node runs into build/.

import { cp, readdir, rm } from "node:fs/promises";

import { build } from "esbuild";

const shared = { bundle: true, format: "esm", logLevel: "warning", target: "es2022" };

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
});
