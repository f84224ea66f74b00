/** How long jobs may go on before the page gets its turn, in milliseconds: with what follows them well under a frame's patience. */
const SLICE_MS = 12;

/** Lets the browser draw and answer before going on. */
function pause(): Promise<void> {
  return new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      done();
    };
    channel.port2.postMessage(null);
  });
}

/** Does one job after the other, each with the rendering that it leads to, and pauses in between: many charts at once are no long task. */
export async function inTurns(jobs: Iterable<() => void>): Promise<void> {
  let begun = performance.now();
  for (const job of jobs) {
    job();
    // Rendering follows in a microtask, drawing in one that comes of it.
    await null;
    await null;
    if (performance.now() - begun < SLICE_MS) continue;
    await pause();
    begun = performance.now();
  }
}
