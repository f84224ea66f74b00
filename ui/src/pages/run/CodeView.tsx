import { useMemo } from "react";

const MOST_NUMBERED = 20_000;

/** A text with numbered lines; the numbers are not copied with it. */
export function CodeView({ text }: { text: string }) {
  const lines = useMemo(() => text.replace(/\n$/, "").split("\n").length, [text]);
  const numbers = useMemo(() => (lines > 1 && lines <= MOST_NUMBERED ? Array.from({ length: lines }, (_, i) => i + 1).join("\n") : ""), [lines]);
  return (
    <div className="codeview" tabIndex={0} role="region">
      {numbers && <pre className="nos" aria-hidden="true">{numbers}</pre>}
      <pre>{text}</pre>
    </div>
  );
}
