import { useMemo } from "react";
import { t } from "../../i18n";
import { diffFiles, type DiffLine } from "../../model/patch";

const SIGNS: Record<DiffLine["kind"], string> = { add: "+", remove: "−", same: " ", place: "" };

/** A patch by file, with added and removed lines marked by sign and colour. */
export function DiffView({ text }: { text: string }) {
  const files = useMemo(() => diffFiles(text), [text]);
  if (!files.length) return <p className="note">{t.noDiff}</p>;
  return (
    <div className="diffs" data-testid="diff">
      {files.map((file, i) => (
        <details key={i} open={files.length < 6}>
          <summary><code>{file.path}</code> <span className="good num">+{file.added}</span> <span className="bad num">−{file.removed}</span></summary>
          <div className="diff" tabIndex={0} role="region" aria-label={file.path}>
            {file.lines.map((line, n) => <div key={n} className={line.kind}><i aria-hidden="true">{SIGNS[line.kind]}</i><span>{line.text || " "}</span></div>)}
          </div>
        </details>
      ))}
    </div>
  );
}
