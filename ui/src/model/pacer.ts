/**
 * Runs a job on demand, never twice at once and never sooner than `rest` milliseconds after the last end. Calls in
 * between fold into one. A slow server thus slows the page's questions down by itself.
 */
export class Pacer {
  private busy = false;
  private again = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = -Infinity;
  private stopped = false;

  constructor(
    private readonly job: () => Promise<void>,
    private readonly rest: number,
    private readonly now: () => number = Date.now,
  ) {}

  poke(): void {
    if (this.stopped || this.timer !== null) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.timer = setTimeout(() => void this.run(), Math.max(0, this.last + this.rest - this.now()));
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private async run(): Promise<void> {
    this.timer = null;
    this.busy = true;
    this.again = false;
    const start = this.now();
    try {
      await this.job();
    } catch {
      // The job shows its own errors; the next poke tries again.
    }
    this.busy = false;
    this.last = this.now() + 2 * (this.now() - start);
    if (this.again) this.poke();
  }
}
