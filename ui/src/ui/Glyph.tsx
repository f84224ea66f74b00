import type { ReactNode } from "react";

export type GlyphName = "FINISHED" | "RUNNING" | "LOST" | "FAILED" | "KILLED" | "SCHEDULED" | "WARN";

/** Status marks: the shape differs, not only the colour. */
const SHAPES: Record<GlyphName, ReactNode> = {
  FINISHED: (
    <>
      <circle cx="7" cy="7" r="5.6" fill="none" stroke="var(--ok)" strokeWidth="1.4" />
      <path d="m4.5 7.2 1.8 1.8 3.3-3.8" fill="none" stroke="var(--ok)" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
    </>
  ),
  RUNNING: (
    <>
      <circle cx="7" cy="7" r="5.6" fill="none" stroke="var(--run)" strokeOpacity=".28" strokeWidth="1.6" />
      <path d="M7 1.4A5.6 5.6 0 0 1 12.2 9" fill="none" stroke="var(--run)" strokeWidth="1.8" strokeLinecap="round" />
      <circle cx="7" cy="7" r="1.9" fill="var(--run)" />
    </>
  ),
  LOST: (
    <>
      <circle cx="7" cy="7" r="5.6" fill="none" stroke="var(--warn)" strokeWidth="1.5" strokeDasharray="2.4 2" />
      <path d="M7 4v3.6M7 9.6v.1" stroke="var(--warn)" strokeWidth="1.5" strokeLinecap="round" />
    </>
  ),
  FAILED: (
    <>
      <rect x="1.6" y="1.6" width="10.8" height="10.8" rx="2.6" fill="var(--bad)" />
      <path d="m4.8 4.8 4.4 4.4m0-4.4-4.4 4.4" stroke="var(--surface)" strokeWidth="1.6" strokeLinecap="round" />
    </>
  ),
  KILLED: (
    <>
      <circle cx="7" cy="7" r="5.6" fill="none" stroke="var(--text-3)" strokeWidth="1.4" />
      <path d="M4.6 7h4.8" stroke="var(--text-3)" strokeWidth="1.6" strokeLinecap="round" />
    </>
  ),
  SCHEDULED: <circle cx="7" cy="7" r="5.6" fill="none" stroke="var(--text-3)" strokeWidth="1.4" strokeDasharray="2.4 2" />,
  WARN: (
    <>
      <path d="M7 1.3 13 12.2H1z" fill="none" stroke="var(--warn)" strokeWidth="1.4" strokeLinejoin="round" />
      <path d="M7 5.4v3M7 10.2v.1" stroke="var(--warn)" strokeWidth="1.5" strokeLinecap="round" />
    </>
  ),
};

/** `label` is what a screen reader says; without one the mark is decoration beside a word. */
export function Glyph({ name, label }: { name: GlyphName; label?: string }) {
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" className="glyph" {...named}>
      {label && <title>{label}</title>}
      {SHAPES[name]}
    </svg>
  );
}
