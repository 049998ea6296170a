// The same in a page: reads the model and the questions beside it, and shows the answers as text.
import { run } from "./runner.js";

async function get(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.arrayBuffer();
}

const shown = document.getElementById("shown");
try {
  const jobs = JSON.parse(new TextDecoder().decode(await get("jobs.json")));
  const bytes = await get("model.bin");
  const began = performance.now();
  const found = await run({ model: bytes.byteLength ? bytes : null, jobs });
  shown.textContent = JSON.stringify({ ...found, milliseconds: performance.now() - began });
} catch (problem) {
  shown.textContent = JSON.stringify({ failed: String(problem.stack) });
}
shown.dataset.state = "done";
