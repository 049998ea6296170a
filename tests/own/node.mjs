// node node.mjs MODEL JOBS: print what the page's own engine says.
import { readFileSync } from "node:fs";
import { run } from "./runner.js";

const [model, jobs] = process.argv.slice(2);
const bytes = model === "-" ? null : new Uint8Array(readFileSync(model)).buffer;
process.stdout.write(JSON.stringify(await run({ model: bytes, jobs: JSON.parse(readFileSync(jobs)) })));
