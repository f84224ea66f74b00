import { readable } from "./board";

/** What the media of a run show. */
export interface MediaView {
  q: string;
  /** The step of all series; null is the latest of each. */
  step: number | null;
  /** The enlarged series as "kind/key"; "" is none. */
  open: string;
}

export function parseMedia(search: string): MediaView {
  const params = new URLSearchParams(search);
  const step = params.get("step");
  return { q: params.get("q") ?? "", step: step !== null && step !== "" && Number.isFinite(Number(step)) ? Number(step) : null, open: params.get("open") ?? "" };
}

export function formatMedia(view: MediaView): string {
  const params = new URLSearchParams();
  if (view.q) params.set("q", view.q);
  if (view.step !== null) params.set("step", String(view.step));
  if (view.open) params.set("open", view.open);
  return readable(params);
}
